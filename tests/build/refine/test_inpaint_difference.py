"""Rough masks of planted objects become exact, and stay inside of what they were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.masks import dilate
from producers.infill.inpaint import OpenCVInpaint
from producers.refine.inpaint_difference import DifferenceSettings, InpaintDifference, difference
from producers.scene import Identity
from producers.segment.versions import overlap

PUBLISHED = DifferenceSettings(close=0, fill=False)


class Known:
    """Infills with a background that is known, and notes the holes."""

    identity = Identity(name="known", model="truth", revision="c" * 40, settings=(("noise", 2),))

    def __init__(self, background):
        self.background, self.holes = background, []

    def infill(self, rasters, holes):
        self.holes = list(holes)
        return [
            np.where(hole[..., None], self.background, raster) for raster, hole in zip(rasters, holes, strict=True)
        ]


def planted(rng, kind="disc", height=150, width=220, contrast=60):
    """A raster with an object on a textured ground, the same without it, and the object; all noisy as photographs."""
    y, x = np.mgrid[:height, :width]
    ground = 110 + 40 * np.sin(x / 9) + 30 * np.cos(y / 7 + x / 23)
    ground = np.stack([ground, ground * 0.8, ground * 0.6], -1)
    across, down = x - rng.integers(70, width - 70), y - rng.integers(50, height - 50)
    shapes = {
        "disc": np.hypot(across, down) < 32,
        "box": (abs(across) < 40) & (abs(down) < 20),
        "star": np.hypot(across, down) < 28 + 9 * np.cos(5 * np.arctan2(down, across)),
    }
    mask = shapes[kind]
    colour = ground + contrast * rng.choice([-1, 1], 3) + 15 * np.sin(y / 3)[..., None]
    pixels = [np.where(mask[..., None], colour, ground), ground]
    noisy = [(one + rng.normal(0, 3, one.shape)).clip(0, 255).round().astype(np.uint8) for one in pixels]
    return *noisy, mask


def refined(raster, mask, infiller, settings=None):
    (result,) = InpaintDifference(settings=settings or DifferenceSettings()).refine([raster], [mask], infiller)
    return result


@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["disc", "box", "star"]),
    published=st.booleans(),
    contrast=st.integers(40, 100),
)
@settings(max_examples=30, deadline=None)
def test_recovers_a_planted_object_from_a_dilated_mask_and_a_clean_infill(seed, kind, published, contrast):
    raster, ground, mask = planted(np.random.default_rng(seed), kind, contrast=contrast)
    rough = dilate(mask, 10)
    assert overlap(rough, mask) < 0.7
    result = refined(raster, rough, Known(ground), PUBLISHED if published else None)
    assert overlap(result, mask) >= 0.95
    assert not (result & ~rough).any()


def test_does_better_than_the_rough_mask_with_a_blurred_infill_too():
    raster, _, mask = planted(np.random.default_rng(3), contrast=90)
    rough = dilate(mask, 10)
    assert overlap(refined(raster, rough, OpenCVInpaint()), mask) > overlap(rough, mask) + 0.05


def test_stays_inside_of_the_rough_mask_though_more_is_infilled():
    raster, ground, mask = planted(np.random.default_rng(0))
    half = mask & (np.arange(mask.shape[1]) < np.flatnonzero(mask.any(0)).mean())
    infiller = Known(ground)
    result = refined(raster, half, infiller, DifferenceSettings(dilation=9))
    assert np.array_equal(infiller.holes[0], dilate(half, 9))
    assert overlap(result, half) > 0.95
    assert not (result & ~half).any()


def test_holes_of_the_rough_mask_stay():
    raster, ground, mask = planted(np.random.default_rng(6))
    y, x = (int(np.mean(one)) for one in np.nonzero(mask))
    ring = dilate(mask, 10)
    ring[y - 2 : y + 2, x - 12 : x + 12] = False
    result = refined(raster, ring, Known(ground))
    assert overlap(result, mask & ring) >= 0.95
    assert not (result & ~ring).any()


def test_holes_are_filled_and_gaps_closed_unless_the_settings_say_otherwise():
    raster, ground, mask = planted(np.random.default_rng(1), "box")
    torn = raster.copy()
    y, x = (int(np.mean(one)) for one in np.nonzero(mask))
    hole, gap = np.s_[y - 4 : y + 4, x - 20 : x + 20], np.s_[y - 9 : y + 30, x + 25 : x + 28]
    torn[hole], torn[gap] = ground[hole], ground[gap]
    whole, published = (refined(torn, dilate(mask, 10), Known(ground), one) for one in (None, PUBLISHED))
    assert overlap(whole, mask) >= 0.95
    assert not published[y, x]
    assert not published[y + 5, x + 26]


def test_nothing_is_left_where_infilling_changes_nothing():
    raster, _, mask = planted(np.random.default_rng(2))
    assert not refined(raster, mask, Known(raster)).any()


def test_own_infiller_is_used_in_place_of_the_runs_and_named():
    raster, ground, mask = planted(np.random.default_rng(4))
    own, other = Known(ground), Known(raster)
    refiner = InpaintDifference(infiller=own)
    (result,) = refiner.refine([raster], [dilate(mask, 10)], other)
    assert overlap(result, mask) >= 0.95
    assert other.holes == []
    assert refiner.identity.to_json() == {
        "name": "inpaint-difference",
        "model": "truth",
        "revision": "c" * 40,
        "settings": {
            "infiller": "known",
            "dilation": 0,
            "close": 3,
            "fill": True,
            "least": 0.0005,
            "infiller.noise": 2,
        },
    }


def test_no_images_are_no_masks():
    assert InpaintDifference().refine([], [], OpenCVInpaint()) == []


def test_the_difference_is_the_mean_over_colours():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    expected = np.abs(pixels[0].astype(float) - pixels[1]).mean(-1)
    assert difference(*pixels) == pytest.approx(expected, abs=1e-4)


def test_a_few_pixels_are_no_object():
    raster, ground, mask = planted(np.random.default_rng(5), "box")
    speck = np.zeros_like(mask)
    y, x = (int(np.mean(one)) for one in np.nonzero(mask))
    speck[y : y + 3, x : x + 3] = True
    assert refined(raster, speck, Known(ground), DifferenceSettings(least=0)).sum() > 4
    assert not refined(raster, speck, Known(ground), DifferenceSettings(least=0.001)).any()


@pytest.mark.parametrize("wrong", [{"close": -1}, {"dilation": -1}, {"least": 1.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigurationError, match="is not allowed"):
        DifferenceSettings(**wrong)
