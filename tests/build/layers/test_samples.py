"""Samples follow from the generator, the seed and their number."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from producers.devices.placement import Placement  # noqa: E402
from producers.layers.composition import Layers  # noqa: E402
from producers.layers.samples import Sampler, latents, offsets_of, samples_of  # noqa: E402
from tests.build.layers.tiny_generator import tiny  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]


def sampler(**options):
    return Sampler(tiny(), Placement(), **options)


def images(samples):
    return np.stack([one.image for one in samples]).astype(int)


def test_a_sample_is_the_same_in_any_batch():
    draw = sampler()
    whole = draw.layers(range(5))
    parts = [draw.layers(numbers) for numbers in ([4], [2, 0, 3], [1])]
    for layer, others in zip(whole, zip(*parts, strict=True), strict=True):
        torch.testing.assert_close(torch.cat(others), layer[[4, 2, 0, 3, 1]], atol=1e-5, rtol=1e-5)


def test_another_seed_and_another_number_are_another_image():
    first, second = images(sampler()([0, 1]))
    assert np.abs(first - second).mean() > 1
    assert np.abs(first - images(sampler(seed=1)([0]))[0]).mean() > 1
    assert not torch.equal(latents(0, [3], 8), latents(1, [3], 8))


def test_truncation_leads_to_the_mean_style():
    spread = [images(sampler(truncation=share)(range(8))).std(0).mean() for share in (1.0, 0.5, 0.0)]
    assert spread[0] > 1.3 * spread[1] > 0
    assert spread[2] == 0
    assert np.array_equal(images(sampler(truncation=0.0, seed=0)([0])), images(sampler(truncation=0.0, seed=1)([0])))


def test_objects_are_moved_by_their_number_and_backgrounds_stay():
    still, moved = (sampler(shift=shift).layers(range(4)) for shift in (0.0, 0.5))
    assert torch.equal(still.background, moved.background)
    side = still.mask.shape[-1]
    for one, (down, right) in enumerate(offsets_of(0, range(4), 0.5, side).tolist()):
        there = moved.mask[one, 0, max(down, 0) : side + down, max(right, 0) : side + right]
        before = still.mask[one, 0, max(-down, 0) : side - down, max(-right, 0) : side - right]
        assert torch.equal(there, before)
    torch.testing.assert_close(sampler(shift=0.5).layers([3]).mask[0], moved.mask[3], atol=1e-5, rtol=1e-5)


def test_all_variety_is_the_generator_itself():
    draw = sampler()
    with torch.no_grad():
        layers = draw.network(latents(0, [7], 8))
    assert torch.equal(draw.layers([7]).mask, layers.mask)
    assert np.array_equal(draw([7])[0].image, samples_of(layers)[0].image)


def test_levels_of_layers():
    """A red foreground at -1 and 1, a background beyond the range, and a mask of a quarter."""
    front = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    ground = torch.full((1, 3, 2, 2), 3.0)
    (sample,) = samples_of(Layers(front, torch.full((1, 1, 2, 2), 0.25), ground))
    assert sample.foreground[0, 0].tolist() == [255, 0, 0]
    assert sample.background[0, 0].tolist() == [255] * 3
    assert sample.soft[0, 0] == 64
    assert not sample.mask.any()
    # .75 x 3 + .25 x (1, -1, -1) is beyond 1 in all colours
    assert sample.image[0, 0].tolist() == [255] * 3
