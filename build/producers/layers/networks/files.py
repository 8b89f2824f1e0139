"""Files of trained generators of layers: `safetensors`, whose metadata hold the card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from producers.devices.carded import CardedFiles, load_weights, seeded
from producers.layers.networks.card import GeneratorCard

if TYPE_CHECKING:
    from producers.layers.networks.generator import LayerGenerator

_FILES = CardedFiles(
    key="fornet_layers",
    missing="the generator is missing",
    foreign="no card of a generator",
    origin="build/train_layers.py writes NNNNNN.safetensors into generators/ of its folder.",
)


def write_generator(path: Path, generator: LayerGenerator, card: GeneratorCard) -> None:
    """Write a generator with its card; beside it the same card as JSON, for people."""
    _FILES.write(path, generator, card.to_json())


def read_card(path: Path) -> GeneratorCard:
    """Return the card in a file, without reading its weights.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is damaged, or not of `write_generator`.
    """
    return _FILES.card(path, GeneratorCard.from_json)


def read_generator(path: Path) -> tuple[LayerGenerator, GeneratorCard]:
    """Return a generator with its weights, for evaluation, on the CPU, and its card.

    Raises:
        NotFoundError, ConfigurationError: as `read_card`; or the weights are not those of the network.
    """
    from producers.layers.networks.generator import LayerGenerator

    card = read_card(path)
    generator = seeded(0, LayerGenerator, card.network)
    load_weights(path, generator)
    return generator.eval(), card
