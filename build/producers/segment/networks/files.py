"""Files of trained segmenters: `safetensors`, whose metadata hold the card, so that one file says all it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.packages import needing
from producers.devices.carded import CardedFiles, load_weights, seeded
from producers.segment.networks.card import Card, NetworkSpec

if TYPE_CHECKING:
    from torch import nn

_FILES = CardedFiles(
    key="fornet_segmenter",
    missing="the segmenter is missing",
    foreign="no card of a segmenter",
    origin="build/train_segmenter.py writes segmenter.safetensors into its folder.",
)
_ENCODERS = "segmentation-models-pytorch timm"


def built(spec: NetworkSpec, encoder_weights: str | None = None) -> nn.Module:
    """Return a network with random weights of torch's generator.

    Args:
        spec: its form.
        encoder_weights: a name of `segmentation_models_pytorch`, such as `imagenet`, which downloads them.

    Raises:
        MissingDependencyError: the package of the encoder is not installed.
        ConfigurationError: there is no such encoder, or it has no such weights.
        NotFoundError: its weights cannot be fetched.
    """
    if spec.encoder is None:
        from producers.segment.networks.unet import UNet

        return UNet(spec.widths, spec.classes, bilinear=spec.bilinear)
    with needing(f"the encoder {spec.encoder}", _ENCODERS):
        import segmentation_models_pytorch as models
    try:
        network: nn.Module = models.create_model(
            spec.decoder, spec.encoder, encoder_weights=encoder_weights, in_channels=3, classes=spec.classes
        )
    except (KeyError, ValueError, RuntimeError) as error:  # timm says RuntimeError for an unknown name
        allowed = "a name of segmentation_models_pytorch, or tu- and one of timm"
        raise ConfigurationError(explain(f"the encoder {spec.encoder}", found=error, allowed=allowed)) from error
    except OSError as error:
        what, then = f"the weights {encoder_weights} of {spec.encoder}", "Start it once with the network."
        raise NotFoundError(explain(what, found=error, then=then)) from error
    return network


def drawn(spec: NetworkSpec, seed: int, encoder_weights: str | None = None) -> nn.Module:
    """Return a network whose random weights follow from a seed; torch's generator stays as it is. As `built`."""
    return seeded(seed, built, spec, encoder_weights)


def write_segmenter(path: Path, network: nn.Module, card: Card) -> None:
    """Write a network with its card; beside it the same card as JSON, for people."""
    _FILES.write(path, network, card.to_json())


def read_card(path: Path) -> Card:
    """Return the card in a file, without reading its weights.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is damaged, or not of `write_segmenter`.
    """
    return _FILES.card(path, Card.from_json)


def read_segmenter(path: Path) -> tuple[nn.Module, Card]:
    """Return a network with its weights, for evaluation, on the CPU, and its card.

    Raises:
        NotFoundError, ConfigurationError: as `read_card` and `built`; or the weights are not those of the network.
    """
    card = read_card(path)
    network = drawn(card.network, seed=0)
    load_weights(path, network)
    return network.eval(), card
