"""The segmenter without weights, on real photographs."""

import builtins

import numpy as np
import pytest

from fornet_hf.errors import MissingDependencyError
from producers.detect.boxes import pixel_box
from producers.segment.grabcut import GrabCut
from producers.segment.versions import overlap


def cut(raster, *boxes):
    return GrabCut().segment([raster], [boxes])[0]


def test_the_dahlia_is_cut_out_of_its_box(photos, dahlia):
    raster, disc = dahlia
    box = pixel_box(photos["n11939491"].boxes[0], raster)
    (mask,) = cut(raster, box)
    filled_box = np.zeros_like(disc)
    filled_box[box[1] : box[3], box[0] : box[2]] = True
    assert mask.dtype == np.bool_
    assert overlap(mask, disc) > 0.93 > overlap(filled_box, disc)


@pytest.mark.parametrize(("wnid", "low", "high"), [("n02123045", 0.65, 0.85), ("n07930864", 0.4, 0.5)])
def test_objects_have_a_plausible_area(photos, wnid, low, high):
    raster = np.asarray(photos[wnid].image)
    (mask,) = cut(raster, pixel_box(photos[wnid].boxes[0], raster))
    assert low < mask.mean() < high


def test_nothing_outside_of_the_box_but_the_smoothed_edge(photos):
    raster = np.asarray(photos["n03877845"].image)
    box = pixel_box(photos["n03877845"].boxes[0], raster)
    (mask,) = cut(raster, box)
    mask[box[1] - 3 : box[3] + 3, box[0] - 3 : box[2] + 3] = False
    assert not mask.any()


def test_the_same_again_whatever_was_cut_before(photos, dahlia):
    raster, _ = dahlia
    box = pixel_box(photos["n11939491"].boxes[0], raster)
    other = np.asarray(photos["n07930864"].image)
    together = GrabCut().segment([other, raster], [[(10, 10, 90, 90)], [box, box]])
    assert [len(masks) for masks in together] == [1, 2]
    for mask in together[1]:
        assert np.array_equal(mask, cut(raster, box)[0])


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ((1, 1), (0, 0, 1, 1)),
        ((3, 2000), (0, 0, 2000, 3)),
        ((2000, 3), (1, 10, 2, 900)),
        ((40, 40), (0, 0, 40, 40)),
        ((40, 40), (39, 39, 40, 40)),
    ],
)
def test_odd_sizes_and_flat_colours_give_a_mask_of_the_rasters_size(shape, box):
    (mask,) = cut(np.full((*shape, 3), 77, np.uint8), box)
    assert mask.shape == shape


def test_without_boxes_there_are_no_masks(dahlia):
    assert cut(dahlia[0]) == []


def test_without_opencv_the_error_says_what_to_install(dahlia, monkeypatch):
    real = builtins.__import__

    def no_cv2(name, *args, **kwargs):
        if name == "cv2":
            raise ImportError("No module named 'cv2'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_cv2)
    with pytest.raises(MissingDependencyError, match="pip install opencv-python-headless"):
        cut(dahlia[0], (10, 10, 50, 50))
