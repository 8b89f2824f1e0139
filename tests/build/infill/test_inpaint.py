"""The infiller without weights, on real photographs."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.masks import dilate
from producers.infill.inpaint import METHODS, OpenCVInpaint


def fill(raster, hole, **settings):
    return OpenCVInpaint(**settings).infill([raster], [hole])[0]


@pytest.mark.parametrize("method", METHODS)
def test_the_dahlia_gives_way_to_the_green_around_it(dahlia, method):
    raster, disc = dahlia
    filled = fill(raster, dilate(disc, 10), method=method)
    ring = dilate(disc, 30) & ~dilate(disc, 10)
    surroundings = raster[ring].mean(0)
    assert raster[disc].mean(0)[0] > surroundings[0] + 100  # orange on green
    assert np.abs(filled[disc].mean(0) - surroundings).max() < 25
    assert filled.dtype == np.uint8


def test_only_the_hole_changes_and_its_edge_fades_in(dahlia):
    raster, disc = dahlia
    hole = dilate(disc, 10)
    filled = fill(raster, hole)
    assert np.array_equal(filled[~hole], raster[~hole])
    rim = hole & ~dilate(disc, 9)
    change = np.abs(filled.astype(int) - raster).max(2)
    assert change[rim].mean() < 10 < change[disc].mean()


def test_nothing_of_the_object_gets_into_the_fill(dahlia):
    raster, disc = dahlia
    hole = dilate(disc, 10)
    repainted = raster.copy()
    repainted[disc] = 255
    inside = dilate(disc, 1)  # where nothing of the original fades in
    assert np.array_equal(fill(raster, hole)[inside], fill(repainted, hole)[inside])


def test_the_same_again_whatever_was_filled_before(dahlia, photos):
    raster, disc = dahlia
    other = np.asarray(photos["n07930864"].image)
    hole = np.zeros(other.shape[:2], bool)
    hole[20:90, 30:120] = True
    together = OpenCVInpaint().infill([other, raster], [hole, disc])
    assert np.array_equal(together[1], fill(raster, disc))


def test_a_hole_that_is_everything_becomes_the_mean_colour():
    raster = np.zeros((20, 30, 3), np.uint8)
    raster[:10] = 200
    assert (fill(raster, np.ones((20, 30), bool)) == 100).all()


def test_no_hole_changes_nothing(dahlia):
    raster, disc = dahlia
    assert np.array_equal(fill(raster, np.zeros_like(disc)), raster)


@pytest.mark.parametrize("shape", [(1, 2), (3, 2000), (2000, 3), (17, 400)])
def test_odd_sizes(shape):
    hole = np.ones(shape, bool)
    hole[0, 0] = False
    filled = fill(np.full((*shape, 3), 9, np.uint8), hole)
    assert filled.shape == (*shape, 3)
    assert (filled == 9).all()


def test_an_unknown_method_is_an_error():
    with pytest.raises(ConfigurationError, match=r"'lama'.*telea"):
        OpenCVInpaint(method="lama")
