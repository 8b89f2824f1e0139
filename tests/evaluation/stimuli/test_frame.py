"""Parts of views are, byte for byte, those of views made as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.Image import Resampling

from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.frame import Frame, seen_part

SIDES = st.integers(1, 160)
PREPROCESSINGS = st.builds(
    Preprocessing,
    size=st.sampled_from([7, 32, 56, 60, 61]),
    crop=st.sampled_from([0.5, 0.875, 0.9, 1.0, 1.25]),
    squash=st.booleans(),
    interpolation=st.sampled_from(["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]),
)


def noise(size: tuple[int, int], seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


@settings(max_examples=100, deadline=None)
@given(PREPROCESSINGS, SIDES, SIDES)
def test_the_view_of_a_whole_image_is_the_preprocessing(preprocessing, width, height):
    image = noise((width, height), 0)
    assert np.array_equal(Frame.of(preprocessing, image.size).view(image), preprocessing.prepared(image))


@settings(max_examples=300, deadline=None)
@given(PREPROCESSINGS, SIDES, SIDES, st.data())
def test_a_tile_makes_of_the_old_view_the_new_one(preprocessing, width, height, data):
    image, other, frame = (
        noise((width, height), 1),
        noise((width, height), 2),
        Frame.of(preprocessing, (width, height)),
    )
    left, right = sorted(data.draw(st.tuples(st.integers(-5, width + 5), st.integers(-5, width + 5))))
    top, bottom = sorted(data.draw(st.tuples(st.integers(-5, height + 5), st.integers(-5, height + 5))))
    box = (left, top, right + 1, bottom + 1)
    changed = image.copy()
    changed.paste(other.crop(box), box[:2])
    view, tile = frame.view(image), frame.tile(box)
    if tile is not None:
        tile.draw(changed.crop(tile.box), view)
    assert np.array_equal(view, preprocessing.prepared(changed))


@settings(max_examples=60, deadline=None)
@given(PREPROCESSINGS, SIDES, SIDES)
def test_pixels_that_are_not_read_do_not_show(preprocessing, width, height):
    image, frame = noise((width, height), 3), Frame.of(preprocessing, (width, height))
    tile = frame.tile(frame.all)
    blackened = Image.new("RGB", image.size)
    blackened.paste(image.crop(tile.reads), tile.reads[:2])
    assert np.array_equal(frame.view(blackened), frame.view(image))


def test_a_tile_of_a_usual_image_is_small():
    frame = Frame.of_part(Preprocessing(), (500, 375), seen_part(Preprocessing(), (500, 375)))
    left, top, right, bottom = frame.tile((110, 110, 210, 210)).box
    assert right - left < 140
    assert bottom - top < 140


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (300, 300), (224, 224), (60, 900)])
def test_the_part_that_is_seen_is_scaled_straight_to_the_classifiers_size(size):
    preprocessing = Preprocessing(size=64, crop=0.875)
    box = preprocessing.box(size)
    part = seen_part(preprocessing, size)
    assert np.abs(np.subtract(part, box)).max() <= 1
    canvas = noise((part[2] - part[0], part[3] - part[1]), 4)
    resized = canvas.resize((64, 64), Resampling.BICUBIC)
    view = Frame.of_part(preprocessing, size, part).view(canvas)
    assert np.array_equal(view, np.asarray(resized).transpose(2, 0, 1))


def test_a_border_stays_black_around_the_part_that_is_seen():
    preprocessing = Preprocessing(size=60, crop=1.25)
    part = seen_part(preprocessing, (48, 48))
    assert part == (0, 0, 48, 48)
    view = Frame.of_part(preprocessing, (48, 48), part).view(Image.new("RGB", (48, 48), "white"))
    assert view[:, 6:54, 6:54].min() == 255
    assert view.sum() == 48 * 48 * 3 * 255


def test_the_part_that_is_seen_has_a_pixel_at_least():
    assert seen_part(Preprocessing(size=2, crop=0.01), (3, 3)) == (1, 1, 2, 2)
