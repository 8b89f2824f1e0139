"""Critics: of pairs of rows, 0 when new, and the same on all ways to pair."""

import pytest

torch = pytest.importorskip("torch")

from fornet_hf.evaluation.independence.critics import CRITICS, Critic, new_critic  # noqa: E402

VECTORS = sorted(set(CRITICS) - {"images"})


def tensors(kind, rows=6):
    draws = torch.Generator().manual_seed(0)
    shapes = [(4, 16, 12), (3, 16, 12)] if kind == "images" else [(5,), (2, 4)]
    return [torch.randn(rows, *shape, generator=draws) for shape in shapes]


def trained(kind, x, y):
    """Return a critic whose weights are not those that it began with."""
    critic, draws = new_critic(kind, x, y, 8, 0), torch.Generator().manual_seed(1)
    for parameter in critic.parameters():
        parameter.data.normal_(0, 0.3, generator=draws)
    return critic


@pytest.mark.parametrize("kind", CRITICS)
def test_a_new_critic_tells_no_pair_from_another_and_can_learn(kind):
    x, y = tensors(kind)
    critic = new_critic(kind, x, y, 8, 0)
    scores = critic(x, y)
    assert scores.tolist() == [0] * 6
    scores.sum().backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in critic.parameters())


@pytest.mark.parametrize("kind", CRITICS)
def test_shifted_pairs_are_those_of_rows_put_in_order(kind):
    x, y = tensors(kind)
    critic = trained(kind, x, y)
    found = critic.shifted(x, y, [0, 2])
    order = [2, 3, 4, 5, 0, 1]
    torch.testing.assert_close(found, torch.stack([critic(x, y), critic(x, y[order])], 1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found, Critic.shifted(critic, x, y, [0, 2]), rtol=1e-4, atol=1e-5)
    assert found.unique().numel() == 12


def test_a_bilinear_critic_is_a_product_of_both_and_terms_of_each():
    x, y = tensors("bilinear")
    critic = trained("bilinear", x, y)

    def mixed(factor):
        one, other = factor * x, y
        zero = torch.zeros_like(x), torch.zeros_like(y)
        return critic(one, other) - critic(one, zero[1]) - critic(zero[0], other) + critic(*zero)

    torch.testing.assert_close(mixed(3.0), 3 * mixed(1.0), rtol=1e-3, atol=1e-4)


def test_a_critic_of_images_sees_only_what_lies_in_the_area_of_x():
    x, y = tensors("images")
    x[:, -1] = 0
    x[:, -1, :8] = 1
    critic, other, inside = trained("images", x, y), y.clone(), y.clone()
    other[:, :, 8:] = 9
    inside[:, :, :8] = 9
    assert torch.equal(critic(x, other), critic(x, y))
    assert not torch.equal(critic(x, inside), critic(x, y))


def test_the_seed_alone_decides_on_the_weights():
    x, y = tensors("separable")
    before = torch.get_rng_state()
    one, same, other = (new_critic("separable", x, y, 8, seed).f[0].weight for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)
