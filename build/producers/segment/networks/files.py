"""Files of trained segmenters: `safetensors`, whose metadata hold the card, so that one file says all it needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import atomic_path
from fornet_hf.packages import needing
from producers.segment.networks.card import Card, NetworkSpec

if TYPE_CHECKING:
    from torch import nn

_KEY = "fornet_segmenter"
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
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return built(spec, encoder_weights)


def write_segmenter(path: Path, network: nn.Module, card: Card) -> None:
    """Write a network with its card; beside it the same card as JSON, for people."""
    from safetensors.torch import save_file

    text = json.dumps(card.to_json(), ensure_ascii=False)
    with atomic_path(path) as temporary:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        save_file(tensors, temporary, {_KEY: text})
    with atomic_path(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_card(path: Path) -> Card:
    """Return the card in a file, without reading its weights.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is damaged, or not of `write_segmenter`.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        then = "build/train_segmenter.py writes segmenter.safetensors into its folder."
        raise NotFoundError(explain("the segmenter is missing", found=f"no file {path}", then=then))
    try:
        with safe_open(path, "numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ConfigurationError(explain(f"{path}: not a whole safetensors file", found=error)) from error
    if _KEY not in metadata:
        then = "Give the file that build/train_segmenter.py wrote."
        raise ConfigurationError(explain(f"{path}: no card of a segmenter", found=sorted(metadata), then=then))
    try:
        return Card.from_json(metadata[_KEY])
    except ConfigurationError as error:
        raise error.at(path) from error


def read_segmenter(path: Path) -> tuple[nn.Module, Card]:
    """Return a network with its weights, for evaluation, on the CPU, and its card.

    Raises:
        NotFoundError, ConfigurationError: as `read_card` and `built`; or the weights are not those of the network.
    """
    from safetensors.torch import load_file

    card = read_card(path)
    network = drawn(card.network, seed=0)
    tensors: dict[str, Any] = load_file(path)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise ConfigurationError(explain(f"{path}: the weights do not fit the card", found=error)) from error
    if not all(one.isfinite().all() for one in network.state_dict().values()):
        raise ConfigurationError(explain(f"{path}: weights are not numbers", then="Train it anew."))
    return network.eval(), card
