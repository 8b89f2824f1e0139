import numpy as np
import pytest
import torch
from torch.nn import functional

from producers.devices.placement import Placement
from producers.segment.square import Square

SIZES = [(40, 60), (64, 64), (40, 60), (90, 33)]


@pytest.fixture
def rasters():
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]


@pytest.mark.parametrize("padded", [True, False])
def test_images_look_alike_alone_and_beside_others(rasters, padded):
    square = Square(side=48, padded=padded)
    together = square.pixels(rasters, Placement())
    alone = torch.cat([square.pixels([raster], Placement()) for raster in rasters])
    assert together.shape == (4, 3, 48, 48)
    assert torch.equal(together, alone)


def test_padding_is_zeros_beside_the_normalised_image():
    raster = np.full((20, 40, 3), 128, np.uint8)
    (pixels,) = Square(side=40, padded=True).pixels([raster], Placement())
    assert pixels[0, :20].numpy() == pytest.approx((128 - 123.675) / 58.395, abs=1e-5)
    assert not pixels[:, 20:].any()


def test_stretched_images_fill_the_square():
    raster = np.zeros((20, 40, 3), np.uint8)
    raster[:, 20:] = 255
    (pixels,) = Square(side=40).pixels([raster], Placement())
    assert (pixels[:, :, 22:] > 2).all()
    assert (pixels[:, :, :18] < -1).all()


@pytest.mark.parametrize(("padded", "expected"), [(True, (50.0, 40.0)), (False, (50.0, 80.0))])
def test_places_are_scaled_as_images_are(padded, expected):
    square = Square(side=100, padded=padded)
    points = torch.tensor([[[100.0, 80.0]]])
    assert square.places(points, [(100, 200)])[0, 0].tolist() == list(expected)


@pytest.mark.parametrize("size", SIZES)
def test_padded_logits_pass_through_the_whole_square(size):
    """The part beside the image, which is not scaled, makes no difference."""
    square = Square(side=64, padded=True)
    logits = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    high, wide = square.scaled(size)
    whole = functional.interpolate(logits, (64, 64), mode="bilinear")[..., :high, :wide]
    assert torch.equal(square.restored(logits, size), functional.interpolate(whole, size, mode="bilinear"))


def test_stretched_logits_are_scaled_once():
    logits = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    expected = functional.interpolate(logits, (40, 60), mode="bilinear")
    assert torch.equal(Square(side=64).restored(logits, (40, 60)), expected)
