"""Colours as networks take them."""

import pytest

torch = pytest.importorskip("torch")

from producers.segment.networks.card import Card, NetworkSpec  # noqa: E402
from producers.segment.networks.pixels import normalized  # noqa: E402
from tests.copies import Copies  # noqa: E402

CARD = Card(network=NetworkSpec(widths=(4, 8)), side=16, mean=(0.5, 0.4, 0.3), std=(0.5, 0.2, 0.1))


def test_bytes_and_shares_are_normalized_alike():
    levels = torch.full((2, 3, 4, 4), 102, dtype=torch.uint8)
    found = normalized(levels, CARD)
    assert torch.allclose(found[0, :, 0, 0], torch.tensor([-0.2, 0.0, 1.0]), atol=1e-6)
    assert torch.equal(normalized(levels.float() / 255, CARD), found)


def test_a_training_does_not_wait_for_the_step_before():
    with Copies() as copies:
        normalized(torch.empty(2, 3, 4, 4, device="meta"), CARD)
    assert copies.non_blocking == [True]
