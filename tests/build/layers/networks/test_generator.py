"""The generator of layers: shapes, styles, noises, precision."""

import pytest

torch = pytest.importorskip("torch")

from producers.devices.carded import seeded  # noqa: E402
from producers.layers.networks.card import LayerSpec  # noqa: E402
from producers.layers.networks.generator import LayerGenerator, Mapping  # noqa: E402

SPEC = LayerSpec(side=16, latent=8, style=8, mapping=2, base=128, most=16)


@pytest.fixture(scope="module")
def generator():
    return seeded(0, LayerGenerator, SPEC)


def latents(count, seed=0):
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))


def equal(first, second):
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("side", [16, 64])
def test_layers_have_their_shapes_and_ranges(side):
    spec = LayerSpec(side=side, latent=8, style=6, mapping=2, base=128, most=16)
    layers = seeded(0, LayerGenerator, spec)(latents(3))
    assert layers.foreground.shape == layers.background.shape == (3, 3, side, side)
    assert layers.mask.shape == (3, 1, side, side)
    assert 0 < layers.mask.min() < layers.mask.max() < 1


def test_all_that_is_learned_gets_a_gradient(generator):
    layers = generator(latents(2))
    sum(one.square().sum() for one in layers).backward()
    assert [name for name, one in generator.named_parameters() if one.grad is None or not one.grad.any()] == []
    generator.zero_grad()


def test_an_image_does_not_depend_on_those_beside_it(generator):
    both, single = generator(latents(2)), generator(latents(2)[1:])
    for one, other in zip(both, single, strict=True):
        torch.testing.assert_close(one[1:], other, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(both.mask[0], both.mask[1])


def test_latents_count_by_their_direction(generator):
    for one, other in zip(generator(latents(2)), generator(3 * latents(2)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_styles_are_mixed_from_the_cut_on(generator):
    first, second = latents(4), latents(4, 1)
    found = generator(first, second=second, cuts=torch.tensor([0, 6, 2, 5]))
    ends = generator(torch.stack([second[0], first[1]]))
    for one, other in zip(found, ends, strict=True):
        torch.testing.assert_close(one[:2], other, rtol=1e-5, atol=1e-5)
    for start in (first, second):
        whole = generator(start)
        assert not torch.allclose(found.background[2:], whole.background[2:])


def test_noises_have_no_strength_at_first_and_follow_from_their_generator(generator):
    noises = generator.noises(2, torch.Generator().manual_seed(3))
    assert equal(noises, generator.noises(2, torch.Generator().manual_seed(3)))
    assert [one.shape[-1] for one in noises] == 2 * [4, 8, 8, 16, 16]
    assert equal(generator(latents(2), noises=noises), generator(latents(2)))
    louder = seeded(0, LayerGenerator, SPEC)
    with torch.no_grad():
        for one in louder.modules():
            if hasattr(one, "strength"):
                one.strength.fill_(1.0)
    constant, drawn = louder(latents(2)), louder(latents(2), noises=noises)
    assert equal(constant, louder(latents(2)))
    assert not torch.allclose(constant.background, drawn.background)
    assert not torch.allclose(constant.mask, drawn.mask)


def test_the_bias_of_masks_is_a_logit():
    shifted = seeded(0, LayerGenerator, LayerSpec(**{**vars(SPEC), "mask_bias": 1.5}))
    plain = seeded(0, LayerGenerator, SPEC)
    found = shifted(latents(2)).mask.logit() - plain(latents(2)).mask.logit()
    torch.testing.assert_close(found, torch.full_like(found, 1.5), rtol=1e-3, atol=1e-3)


def test_layers_are_float32_under_autocast_and_near_those_without(generator):
    plain = generator(latents(4))
    with torch.autocast("cpu", torch.bfloat16):
        low = generator(latents(4))
    for one, other in zip(plain, low, strict=True):
        assert other.dtype == torch.float32
        assert (one - other).abs().mean() < 0.05 * one.std()


def test_channels_last_changes_no_value():
    one, other = seeded(0, LayerGenerator, SPEC), seeded(0, LayerGenerator, SPEC)
    other.to(memory_format=torch.channels_last)
    for first, second in zip(one(latents(2)), other(latents(2)), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)


def test_the_mapping_learns_at_a_hundredth_of_the_rate():
    mapping = seeded(0, Mapping, SPEC)
    assert [one.rate for one in mapping.layers] == [0.01, 0.01]
    assert [one.weight.std().item() for one in mapping.layers] == pytest.approx([100, 100], rel=0.2)
    assert mapping(latents(500)).square().mean().item() == pytest.approx(1, abs=0.6)
