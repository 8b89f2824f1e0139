"""The discriminator, and the deviation within groups."""

import pytest

torch = pytest.importorskip("torch")

from producers.devices.carded import seeded  # noqa: E402
from producers.layers.networks.card import LayerSpec  # noqa: E402
from producers.layers.networks.discriminator import Discriminator, with_deviation  # noqa: E402

SPEC = LayerSpec(side=16, latent=8, style=8, mapping=2, base=128, most=16)


def images(count):
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("count", [1, 3, 4, 6])
def test_each_image_has_a_logit_and_each_weight_a_gradient(count):
    network = seeded(0, Discriminator, SPEC)
    logits = network(images(count))
    assert logits.shape == (count,)
    logits.sum().backward()
    assert [name for name, one in network.named_parameters() if not one.grad.any()] == []


def test_groups_of_one_judge_each_image_by_itself():
    network = seeded(0, Discriminator, SPEC, group=1)
    torch.testing.assert_close(network(images(4))[:2], network(images(2)), rtol=1e-4, atol=1e-5)
    network = seeded(0, Discriminator, SPEC)
    assert not torch.allclose(network(images(4))[:2], network(images(2)), rtol=1e-4, atol=1e-5)


def test_the_deviation_is_that_of_each_group_averaged():
    values = torch.zeros(4, 2, 1, 1)
    values[:, 0, 0, 0] = torch.tensor([0.0, 1.0, 4.0, 1.0])
    found = with_deviation(values, 2)  # groups: images 0 and 2, 1 and 3
    assert torch.equal(found[:, :2], values)
    assert found[:, 2, 0, 0].tolist() == pytest.approx([1, 1e-4, 1, 1e-4], abs=1e-4)
    whole = with_deviation(values, 4)[:, 2, 0, 0]
    assert whole.tolist() == pytest.approx(4 * [values[:, 0].std(correction=0).item() / 2], abs=1e-4)


@pytest.mark.parametrize(("count", "group", "size"), [(6, 4, 3), (5, 4, 1), (8, 4, 4), (2, 4, 2)])
def test_groups_are_the_largest_that_divide_the_batch(count, group, size):
    found = with_deviation(images(count), group)[:, -1, 0, 0]
    assert len(found.unique()) == (count // size if size > 1 else 1)


def test_logits_are_float32_under_autocast_and_near_those_without():
    network = seeded(0, Discriminator, SPEC)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(images(8))
    assert found.dtype == torch.float32
    assert (found - network(images(8))).abs().max() < 0.05
