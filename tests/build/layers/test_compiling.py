"""All that a training compiles can be compiled as one graph: no Python depends on values."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from producers.devices.carded import seeded  # noqa: E402
from producers.layers.augmentation import changed, drawn_changes  # noqa: E402
from producers.layers.composition import composed, drawn_offsets, shifted  # noqa: E402
from producers.layers.independence import laplace  # noqa: E402
from producers.layers.losses import binary_loss, generator_loss, size_loss  # noqa: E402
from producers.layers.networks.card import LayerSpec  # noqa: E402
from producers.layers.networks.discriminator import Discriminator  # noqa: E402
from producers.layers.networks.generator import LayerGenerator  # noqa: E402

SPEC = LayerSpec(side=16, latent=8, style=8, mapping=1, base=64, most=8)


def test_the_phase_of_the_generator_is_one_graph_under_autocast():
    generator, discriminator = seeded(0, LayerGenerator, SPEC), seeded(1, Discriminator, SPEC)
    draws = np.random.default_rng(0)
    changes, offsets = drawn_changes(4, 0.5, 16, draws), torch.from_numpy(drawn_offsets(4, 0.125, 16, draws))
    order, cuts, torch_draws = torch.arange(4).roll(1), torch.arange(4), torch.Generator().manual_seed(1)
    latents, noises = torch.randn(4, 8, generator=torch_draws), generator.noises(4, torch_draws)

    def phase(latents):
        layers = generator(latents, second=latents.flip(0), cuts=cuts, noises=noises)
        moved = shifted(layers, offsets)
        logits = discriminator(changed(composed(moved), changes))
        return generator_loss(logits) + binary_loss(moved.mask) + size_loss(moved.mask) + laplace(layers, order)

    found = []
    for call in (phase, torch.compile(phase, fullgraph=True, backend="eager")):
        with torch.autocast("cpu", torch.bfloat16):
            loss = call(latents)
        found.append([loss, *torch.autograd.grad(loss, list(generator.parameters()))])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
