"""Numbers that a phase draws."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from producers.devices.placement import Placement  # noqa: E402
from producers.layers.drawing import Drawing  # noqa: E402
from producers.layers.networks.generator import LayerGenerator  # noqa: E402
from tests.build.layers.tiny import TINY  # noqa: E402


@pytest.fixture(scope="module")
def network():
    return LayerGenerator(TINY.network)


def drawn(network, phase="generator", step=3, rank=0, count=64, **changes):
    return Drawing(dataclasses.replace(TINY, **changes), rank, Placement()).of(phase, step, count, network)


def flat(draws):
    return [one for part in draws if part is not None for one in (part if isinstance(part, list) else [part])]


def test_the_same_names_draw_the_same_and_others_draw_others(network):
    first = flat(drawn(network))
    assert all(torch.equal(*pair) for pair in zip(first, flat(drawn(network)), strict=True))
    for other in ({"phase": "discriminator"}, {"step": 4}, {"rank": 1}, {"seed": 1}):
        assert not any(torch.equal(*pair) for pair in zip(first, flat(drawn(network, **other)), strict=True))


def test_forms_and_ranges_are_those_that_the_networks_take(network):
    found = drawn(network, shift=0.25)
    assert found.latents.shape == (64, 8)
    assert (found.second, found.cuts) == (None, None)
    assert [one.shape[0] for one in found.noises] == [64] * 10
    assert found.offsets.abs().max() == 4
    assert found.order.sort().values.tolist() == [*range(64)]


def test_a_share_of_the_styles_is_mixed(network):
    cuts = drawn(network, mixing=0.5, count=400).cuts
    count = len(network.foreground.sides)
    assert 150 < (cuts <= count).sum() < 250
    assert {*cuts.tolist()} == {*range(1, count), count + 1}
    assert drawn(network, mixing=0.5).second.shape == (64, 8)


def test_changes_follow_from_their_names_and_grow_with_the_strength(network):
    drawing = Drawing(TINY, 0, Placement())
    still, some, same = (drawing.changes("real", 2, 50, strength) for strength in (0.0, 0.5, 0.5))
    assert torch.equal(some.sources, same.sources)
    assert torch.equal(some.colours, same.colours)
    np.testing.assert_array_equal(still.sources, np.tile([[1, 0, 0], [0, 1, 0]], (50, 1, 1)))
    changed = (some.sources != still.sources).any(-1).any(-1)
    assert 10 < changed.sum() <= 50
