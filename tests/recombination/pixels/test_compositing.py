"""Pixels from compositions: originals, edges, tiny objects; agreement with the reference is in test_pixels.py."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.format import jpeg
from fornet_hf.format.masks import encode_mask
from fornet_hf.format.rows import Row
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.pixels.compositing import compose
from fornet_hf.recombination.pixels.steps import finished, in_step
from tests.factory import columns, make_row, source_bytes


def whole(canvas: tuple[int, int], /, **fields: object) -> Composition:
    box = (0, 0, *canvas)
    values = {"original": False, "background": None, "background_box": box, "canvas": canvas, "window": box}
    return Composition(**{**values, "output": canvas, **fields})


def test_the_original_image_is_the_prediction_byte_for_byte():
    row = make_row(1)
    source = Image.open(io.BytesIO(source_bytes("chelsea"))).convert("RGB")
    prediction = Image.open(io.BytesIO(jpeg.encode(source)))
    image, mask = compose(row, None, whole(source.size, original=True))
    assert np.array_equal(np.asarray(image), np.asarray(prediction))
    object_mask = np.zeros((source.height, source.width), bool)
    x0, y0, x1, y1 = row.box
    object_mask[y0:y1, x0:x1] = np.asarray(Image.open(io.BytesIO(row.mask)))
    assert np.array_equal(np.asarray(mask) == 255, object_mask)


def test_the_original_of_images_in_another_form_is_pasted_together():
    row = columns(make_row(1))
    loaded = {
        name: Image.open(io.BytesIO(row[name]["bytes"])).convert("RGB") for name in ("foreground", "background")
    }
    composition = whole(loaded["background"].size, original=True)
    bytewise, pasted = compose(row, None, composition), compose(row | loaded, None, composition)
    difference = np.abs(np.asarray(bytewise.image).astype(int) - np.asarray(pasted.image).astype(int))
    assert difference.mean() < 0.2  # the chroma along the seam differs


def test_a_crop_of_the_original_moves_image_and_mask():
    row = make_row(0)
    full = compose(row, None, whole((192, 192), original=True))
    box = (40, 30, 140, 130)
    part = compose(row, None, whole((192, 192), original=True, background_box=box, window=box, output=(100, 100)))
    assert np.array_equal(np.asarray(part.image), np.asarray(full.image.crop(box)))
    assert np.array_equal(np.asarray(part.mask), np.asarray(full.mask.crop(box)))


def test_flipping_mirrors_image_and_mask():
    row = make_row(0)
    composition = whole((192, 192), size=(60, 80), part=(0, 0, 60, 80), offset=(20, 30), sigma=2.0)
    one, two = compose(row, None, composition), compose(row, None, replace(composition, flip=True))
    for before, after in zip(one, two, strict=True):
        assert np.array_equal(np.asarray(before)[:, ::-1], np.asarray(after))


def test_an_object_that_juts_out_shows_its_inner_part():
    row = make_row(0)
    composition = whole((192, 192), size=(60, 80), part=(0, 0, 60, 80), offset=(20, 30))
    inside = np.asarray(compose(row, None, composition).mask)
    outside = np.asarray(compose(row, None, replace(composition, offset=(-25, -30))).mask)
    assert np.array_equal(outside[:130, :140], inside[60:190, 45:185])


def test_an_object_outside_of_the_crop_leaves_the_background():
    row = make_row(0)
    fields = {"background_box": (100, 100, 150, 150), "window": (100, 100, 150, 150), "output": (224, 224)}
    composition = whole((192, 192), size=(60, 80), part=(0, 0, 60, 80), offset=(20, 10), **fields)
    assert compose(row, None, composition).mask.getbbox() is None


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (192, 192), (3000, 2000)])
def test_one_pixel_masks_work_at_any_size(size):
    mask = np.zeros((16, 16), bool)
    mask[5, 7] = True
    row = Row(
        key="n_1",
        label=0,
        foreground=jpeg.encode(Image.new("RGB", (16, 16), (255, 0, 0))),
        mask=encode_mask(mask),
        background=jpeg.encode(Image.new("RGB", (192, 192), (0, 0, 255))),
        box=(0, 0, 16, 16),
        foreground_ratio=1 / 192**2,
    )
    part = tuple(min(side, 192) for side in size)
    image, mask = compose(row, None, whole((192, 192), size=size, part=(0, 0, *part), offset=(0, 0), sigma=4.0))
    assert np.asarray(mask).astype(bool).sum() == part[0] * part[1]
    assert np.asarray(image)[0, 0, 0] > 240


def test_a_missing_part_is_an_error():
    row = columns(make_row(0)) | {"background": None}
    with pytest.raises(ConfigurationError, match="lacks a part"):
        compose(row, None, whole((192, 192)))


def test_all_tasks_do_a_stage_before_any_goes_on():
    log = []

    def task(name, stages):
        for stage in range(stages):
            log.append((stage, name))
            yield
        return name.upper()

    assert in_step([task("a", 2), task("b", 0), task("c", 3)]) == ["A", "B", "C"]
    assert log == [(0, "a"), (0, "c"), (1, "a"), (1, "c"), (2, "c")]


def test_tasks_without_a_stage_and_no_tasks():
    def task():
        return 1
        yield

    assert finished(task()) == 1
    assert in_step([]) == []


def test_an_error_comes_out():
    def task():
        yield
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        finished(task())
