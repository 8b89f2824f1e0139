"""An object is shown where, how large and how softly the sliders say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import fornet_hf
from compose import LIMITS, View, composed
from fornet_hf.errors import ConfigurationError

CANVAS = Image.new("RGB", (300, 200), (0, 0, 255))


@pytest.fixture(scope="module")
def row(demo, tmp_path_factory):
    rows = fornet_hf.load_dataset(
        patches=demo / "made/patches",
        imagenet_dir=demo / "pictures",
        split="train",
        cache_dir=tmp_path_factory.mktemp("cache"),
    )
    return rows.with_format(None)[6]


def mask_of(row, **view):
    return np.asarray(composed(row, CANVAS, View(**view)).mask, np.float64) / 255


@pytest.mark.parametrize("size", [0.05, 0.2])
def test_the_size_is_the_share_of_the_area(row, size):
    assert mask_of(row, size=size, x=0.5, y=0.5, feather=0).mean() == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize(("x", "y"), [(0.3, 0.5), (0.7, 0.4)])
def test_the_place_is_that_of_the_middle(row, x, y):
    left, top, right, bottom = composed(row, CANVAS, View(size=0.05, x=x, y=y, feather=0)).mask.getbbox()
    assert (left + right) / 2 / 300 == pytest.approx(x, abs=0.01)
    assert (top + bottom) / 2 / 200 == pytest.approx(y, abs=0.01)


def test_an_object_may_jut_out_and_be_larger_than_the_background(row):
    beyond, large = mask_of(row, size=0.1, x=0, feather=0), mask_of(row, size=1, feather=0)
    assert 0.02 < beyond.mean() < 0.08
    assert large[:, 150].mean() == 1


def test_a_feather_softens_the_edge(row):
    def soft(feather):
        return np.mean((mask := mask_of(row, feather=feather)) * (1 - mask))

    assert soft(8) > 2 * soft(1)


def test_a_crop_enlarges_the_middle(row):
    whole, part = (mask_of(row, size=0.05, y=0.5, feather=0, crop=crop) for crop in (1, 0.25))
    assert part.shape == whole.shape
    assert part.mean() == pytest.approx(4 * whole.mean(), rel=0.02)


def test_pixels_beside_the_object_are_the_background(row):
    made = composed(row, CANVAS, View())
    assert {tuple(pixel) for pixel in np.asarray(made.image)[np.asarray(made.mask) == 0]} == {(0, 0, 255)}


def test_a_large_background_is_made_smaller(row):
    assert composed(row, Image.new("RGB", (2000, 1000)), View()).image.size == (512, 256)


def test_a_row_without_object_is_told(row):
    with pytest.raises(ConfigurationError, match="this row has no object"):
        composed({**row, "foreground": None, "mask": None, "box": None}, CANVAS, View())


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [-1, 21, float("nan"), "large"])
def test_other_values_than_those_of_the_sliders_are_refused(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed"):
        View(**{name: value})
