import io

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import EmptyMaskError, PatchFormatError
from producers.offsets import find_offset


def disc(high, wide):
    y, x = np.ogrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    return y**2 + x**2 <= 1


@pytest.fixture
def pictures(photos):
    return [np.asarray(one.picture.convert("RGB")) for one in photos.values()]


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.7, 1.0])
def test_a_clean_cut_out_is_found_exactly(pictures, fraction):
    rng = np.random.default_rng(0)
    for picture in pictures:
        high, wide = (max(3, int(side * fraction)) for side in picture.shape[:2])
        y, x = (
            int(rng.integers(0, side - part + 1)) for side, part in zip(picture.shape, (high, wide), strict=False)
        )
        colours, mask = picture[y : y + high, x : x + wide].copy(), disc(high, wide)
        colours[~mask] = rng.integers(0, 256, (np.count_nonzero(~mask), 3))
        match = find_offset(picture, colours, mask)
        assert match.error == 0
        px, py = match.offset  # a uniform patch may have several exact places
        assert match.offset == (x, y) or np.array_equal(picture[py : py + high, px : px + wide][mask], colours[mask])
        assert match.offset == (x, y) or match.fault()


def test_a_compressed_cut_out_is_found(pictures):
    for picture in pictures:
        colours, mask = picture[20:90, 30:110], disc(70, 80)
        buffer = io.BytesIO()
        Image.fromarray(np.dstack([colours, mask * np.uint8(255)])).save(buffer, "WEBP", quality=75)
        lossy = np.asarray(Image.open(buffer).convert("RGB"))
        match = find_offset(picture, lossy, mask)
        assert match.offset == (30, 20)
        assert 0 < match.error < 15
        assert match.fault() is None


def test_transparent_margins_do_not_count(pictures):
    colours, mask = pictures[0][10:60, 20:90].copy(), np.zeros((50, 70), bool)
    mask[15:30, 22:51] = True
    colours[~mask] = 0
    assert find_offset(pictures[0], colours, mask).offset == (20, 10)


def test_a_foreign_cut_out_is_reported(pictures):
    fault = find_offset(pictures[0], 255 - pictures[1][20:90, 30:110], disc(70, 80)).fault()
    assert "differs by" in fault


def test_a_cut_out_that_fits_twice_is_reported():
    tile = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    picture = np.tile(tile, (2, 2, 1))
    assert "two positions" in find_offset(picture, tile, np.ones((20, 20), bool)).fault()


def test_a_cut_out_of_the_pictures_own_size_has_no_rival(pictures):
    match = find_offset(pictures[0], pictures[0], np.ones(pictures[0].shape[:2], bool))
    assert (match.offset, match.error, match.rival) == ((0, 0), 0, float("inf"))
    assert match.fault() is None


def test_a_cut_out_larger_than_the_picture_is_refused(pictures):
    with pytest.raises(PatchFormatError, match="larger"):
        find_offset(pictures[0][:50], pictures[0][:60], np.ones((60, pictures[0].shape[1]), bool))


def test_an_empty_cut_out_is_refused(pictures):
    with pytest.raises(EmptyMaskError):
        find_offset(pictures[0], pictures[0][:5, :5], np.zeros((5, 5), bool))
