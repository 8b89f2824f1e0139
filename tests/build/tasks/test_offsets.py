"""Cut-outs are placed where they came from, or reported."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from fornet_hf.errors import EmptyMaskError, PatchFormatError
from fornet_hf.format.masks import bounding_box
from producers.tasks.changes import changed_box, covering
from producers.tasks.offsets import CutOut, Match, find_offset

FULL = np.uint8(255)


def disc(high, wide):
    y, x = np.ogrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    return y**2 + x**2 <= 1


def clean(colours, mask):
    return CutOut(np.ascontiguousarray(colours), mask * FULL)


def compressed(colours, mask, **options):
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([colours, mask * FULL])).save(buffer, "WEBP", **options)
    return CutOut.decode(buffer.getvalue())


@pytest.fixture
def images(photos):
    return [np.asarray(one.image.convert("RGB")) for one in photos.values()]


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.7, 1.0])
def test_a_clean_cut_out_is_found_exactly(images, fraction):
    rng = np.random.default_rng(0)
    for image in images:
        high, wide = (max(3, int(side * fraction)) for side in image.shape[:2])
        y, x = (int(rng.integers(0, side - part + 1)) for side, part in zip(image.shape, (high, wide), strict=False))
        colours, mask = image[y : y + high, x : x + wide].copy(), disc(high, wide)
        colours[~mask] = rng.integers(0, 256, (np.count_nonzero(~mask), 3))
        match = find_offset(image, clean(colours, mask))
        assert match.error == 0
        px, py = match.offset  # a uniform patch may have several exact places
        assert match.offset == (x, y) or np.array_equal(image[py : py + high, px : px + wide][mask], colours[mask])
        assert match.offset == (x, y) or match.fault()


@pytest.mark.parametrize("options", [{"quality": 75}, {"quality": 83, "method": 6}, {"lossless": True}], ids=str)
def test_a_compressed_cut_out_is_found(images, options):
    for image in images:
        cut_out = compressed(image[20:90, 30:110], disc(70, 80), **options)
        assert bool(cut_out.file) is ("quality" in options)
        match = find_offset(image, cut_out)
        assert match.offset == (30, 20)
        assert match.error < 15
        assert match.fault() is None


def test_small_discs_are_placed_right_or_reported(images):
    """Colours alone place every third of them wrongly."""
    rng, outcomes = np.random.default_rng(0), []
    for number in range(60):
        image, radius = images[number % len(images)], (3, 4, 6, 8, 12, 16)[number % 6]
        mask = disc(2 * radius + 1, 2 * radius + 1)
        x, y = (int(rng.integers(0, side - len(mask))) for side in image.shape[1::-1])
        cut_out = compressed(image[y : y + len(mask), x : x + len(mask)], mask)
        match = find_offset(image, cut_out, possible(image, cut_out, (x, y)))
        if match.fault() is None:
            outcomes.append(max(abs(match.offset[0] - x), abs(match.offset[1] - y)))
    assert max(outcomes) <= 1
    assert len(outcomes) >= 40


def possible(image, cut_out, offset):
    """Where a cut-out can have been, by the background that is left of its image."""
    hole = Image.new("L", image.shape[1::-1])
    hole.paste(255, offset, Image.fromarray(cut_out.alpha))
    hole = hole.filter(ImageFilter.GaussianBlur(7)).point(lambda value: 255 * (value > 0))
    original, buffer = Image.fromarray(image), io.BytesIO()
    left = original.copy()
    left.paste(original.filter(ImageFilter.GaussianBlur(12)), mask=hole)
    left.save(buffer, "JPEG")
    changed = changed_box(original, Image.open(buffer), buffer.getvalue())
    return None if changed is None else covering(changed, bounding_box(cut_out.mask), 26)


def test_transparent_margins_do_not_count(images):
    colours, mask = images[0][10:60, 20:90].copy(), np.zeros((50, 70), bool)
    mask[15:30, 22:51] = True
    colours[~mask] = 0
    assert find_offset(images[0], clean(colours, mask)).offset == (20, 10)


def test_a_foreign_cut_out_is_reported(images):
    fault = find_offset(images[0], clean(255 - images[1][20:90, 30:110], disc(70, 80))).fault()
    assert "differs by" in fault


def test_a_cut_out_that_fits_twice_is_reported_unless_the_background_tells():
    tile = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    image, cut_out = np.tile(tile, (2, 2, 1)), clean(tile, np.ones((20, 20), bool))
    assert "4 positions fit alike" in find_offset(image, cut_out).fault()
    assert find_offset(image, cut_out, (10, -5, 31, 6)) == Match((20, 0), 0.0)


def test_a_background_that_was_changed_where_no_cut_out_fits_is_reported(images):
    cut_out = clean(images[0][:20, :20], np.ones((20, 20), bool))
    with pytest.raises(PatchFormatError, match="the background differs"):
        find_offset(images[0], cut_out, (-9, -9, -5, -5))


def test_a_cut_out_of_the_images_own_size_has_no_rival(images):
    match = find_offset(images[0], clean(images[0], np.ones(images[0].shape[:2], bool)))
    assert match == Match((0, 0), 0.0)
    assert match.fault() is None


def test_a_cut_out_larger_than_the_image_is_refused(images):
    large = clean(images[0][:60], np.ones((60, images[0].shape[1]), bool))
    with pytest.raises(PatchFormatError, match="larger"):
        find_offset(images[0][:50], large)


def test_an_empty_cut_out_is_refused(images):
    with pytest.raises(EmptyMaskError):
        find_offset(images[0], clean(images[0][:5, :5], np.zeros((5, 5), bool)))
