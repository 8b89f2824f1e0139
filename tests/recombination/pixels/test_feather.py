"""The feather is Pillow's Gaussian blur at twice the contrast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from fornet_hf.recombination.pixels import feather
from fornet_hf.recombination.pixels.feather import feathered, reach


def blob(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    inside = (2 * x / width - 0.9) ** 2 + (2 * y / height - 1) ** 2 + 0.2 * np.sin(x / 5) < 0.8
    return inside.astype(np.uint8) * 255


@pytest.mark.parametrize(
    "radius", [(0.0, 0.3), (0.3, 0.3), (1.0, 1.0), (2.0, 2.6), (6.5, 4.0), (40.0, 30.0)], ids=str
)
@pytest.mark.parametrize("size", [(224, 224), (40, 7), (1, 1), (3, 90)], ids=str)
@pytest.mark.parametrize("opencv", [False, True], ids=["sums", "OpenCV"])
def test_it_agrees_with_pillow(
    size: tuple[int, int], radius: tuple[float, float], opencv: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if opencv:
        pytest.importorskip("cv2")
        monkeypatch.setattr(feather, "_summed", None)
        monkeypatch.setattr(feather, "_WIDE", 1000)
    else:
        monkeypatch.setattr(feather, "optional", lambda name: None)
    mask = blob(*size)
    blurred = np.asarray(Image.fromarray(mask).filter(ImageFilter.GaussianBlur(radius))).astype(int)
    expected = np.where(blurred > 128, 2 * blurred - 255, 0)
    found = np.asarray(feathered(mask, radius)).astype(int)
    assert found.shape == size
    assert np.abs(found - expected).max() <= 4  # Pillow rounds to bytes after every pass, and the contrast doubles
    assert abs(found.mean() - expected.mean()) < 0.5


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0, 15), st.floats(0, 15))
def test_opencv_differs_by_a_level_at_most(height: int, width: int, x: float, y: float) -> None:
    pytest.importorskip("cv2")
    rng = np.random.default_rng(width * height)
    coarse = Image.fromarray(rng.integers(0, 2, (3, 3), dtype=np.uint8) * np.uint8(255))
    mask = np.asarray(coarse.resize((width, height), Image.Resampling.NEAREST))
    found = np.asarray(feathered(mask, (x, y))).astype(int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feather, "optional", lambda name: None)
        assert np.abs(found - np.asarray(feathered(mask, (x, y)))).max() <= 1


def test_nothing_farther_than_its_reach_counts() -> None:
    for radius in (0.2, 1.0, 3.3, 9.0):
        mask = blob(200, 200)
        far = reach(radius)
        part = np.asarray(feathered(mask[:, 60:], (radius, radius)))
        assert np.array_equal(part[:, far:], np.asarray(feathered(mask, (radius, radius)))[:, 60 + far :])


def test_without_a_radius_it_is_the_mask_itself() -> None:
    levels = np.asarray(Image.fromarray(blob(40, 60)).resize((23, 17), Image.Resampling.BILINEAR))
    assert set(np.unique(levels)) - {0, 255}
    assert np.array_equal(np.asarray(feathered(levels, (0.0, 0.0))), levels)


def test_the_mask_is_left_as_it_is() -> None:
    mask = blob(20, 30)
    feathered(mask, (1.0, 2.0))
    assert np.array_equal(mask, blob(20, 30))
