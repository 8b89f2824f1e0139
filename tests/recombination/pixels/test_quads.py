"""Pillow and NumPy see the same memory, and what users get may be written to."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fornet_hf.format import jpeg
from fornet_hf.recombination import Recombine
from fornet_hf.recombination.pixels.decoding import decoded
from fornet_hf.recombination.pixels.quads import fourth, image_of, quads_of


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 4), np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "RGBX", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (30, 20), (1500, 1400)], ids=str)
def test_pixels_are_those_of_the_image(mode, size):
    quads = noise(*size[::-1])
    image = Image.frombytes(mode, size, quads[..., : len(mode)].tobytes())
    assert np.array_equal(quads_of(image)[..., : len(mode)], quads[..., : len(mode)])


@pytest.mark.parametrize("part", [np.s_[:, :], np.s_[3:9, 4:11], np.s_[:, ::-1]], ids=str)
def test_an_image_is_that_of_its_pixels(part):
    quads = noise(20, 30)[part]
    for mode in ("RGB", "RGBX"):
        assert image_of(quads, mode).tobytes() == quads[..., : len(mode)].tobytes()
    assert np.array_equal(fourth(quads), quads[..., 3])


def test_both_see_the_same_memory():
    quads = noise(20, 30)
    image = image_of(quads)
    quads[3, 4] = 1, 2, 3, 4
    assert image.getpixel((4, 3)) == (1, 2, 3)
    copied = image.copy()
    again = quads_of(copied)
    copied.putpixel((4, 3), (5, 6, 7))
    assert again[3, 4, :3].tolist() == [5, 6, 7]
    assert not again.flags.writeable


def test_pillow_writes_to_a_copy():
    quads = noise(20, 30)
    before, image = quads.copy(), image_of(quads)
    image.paste((0, 0, 0), (0, 0, 30, 20))
    assert np.array_equal(quads, before)


def test_what_users_get_may_be_written_to(ds):
    coded = jpeg.encode(Image.new("RGB", (20, 10)))
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, "PNG")
    images = [decoded(coded), decoded(buffer.getvalue())]
    for parameters in ({}, {"flip": 1.0}, {"crop": 32}, {"crop": 32, "evaluation": True}, {"orig_img_prob": 1.0}):
        example = ds.with_transform(Recombine(ds, return_fg_masks=True, **parameters))[0]
        images += [example["image"], example["mask"]]
    for image in images:
        image.load()[0, 0] = 7 if image.mode == "L" else (7, 8, 9)
