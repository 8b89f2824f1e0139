"""A generator of layers of 16 pixels with random weights: its masks are neither empty nor full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from producers.layers.networks.card import GeneratorCard, LayerSpec
from producers.layers.networks.files import write_generator
from producers.layers.networks.generator import LayerGenerator

TINY = LayerSpec(side=16, latent=8, style=16, mapping=2, base=256, most=32)


def tiny(seed: int = 0, mask_bias: float = 0.0) -> LayerGenerator:
    """The generator, by its seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LayerGenerator(replace(TINY, mask_bias=mask_bias))


def write_tiny(path: Path, seed: int = 0, mask_bias: float = 0.0) -> Path:
    """Its file."""
    network = tiny(seed, mask_bias)
    write_generator(path, network, GeneratorCard(network=network.spec))
    return path
