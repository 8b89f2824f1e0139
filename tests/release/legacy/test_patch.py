"""Which dictionaries are patches."""

import gzip
import pickle
import tracemalloc

import numpy as np
import pytest

from fornet_hf.errors import PatchFormatError
from fornet_hf.release.legacy import read_patch

DIFFERENCE = np.full((4, 5, 3), -7)
MASK = np.eye(2, 3, dtype=np.int64)[:, :, None]
WHOLE = {"bg_diff": DIFFERENCE, "fg_off": (1, 2), "fg_mask": MASK}


def changed(**values):
    return {**WHOLE, **values}


def without(*keys):
    return {key: value for key, value in WHOLE.items() if key not in keys}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["pkl", "pkl.gz"])
def test_a_whole_patch(pack):
    patch = read_patch(pack(pickle.dumps(WHOLE)))
    assert (patch.difference.dtype, patch.mask.dtype) == (np.int16, np.bool_)
    np.testing.assert_array_equal(patch.difference, DIFFERENCE)
    np.testing.assert_array_equal(patch.mask, np.eye(2, 3, dtype=bool))
    assert patch.offset == (1, 2)


def test_either_part_may_be_missing():
    background = read_patch(pickle.dumps(without("fg_off", "fg_mask")))
    assert (background.offset, background.mask) == (None, None)
    foreground = read_patch(pickle.dumps(without("bg_diff")))
    assert foreground.difference is None
    assert foreground.mask.shape == (2, 3)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (changed(extra=1), "extra"),
        (changed(bg_diff=5), "bg_diff; found int"),
        (changed(bg_diff=np.zeros((4, 5), int)), "int64 of shape 4 x 5;"),
        (changed(bg_diff=np.zeros((4, 5, 4), int)), "int64 of shape 4 x 5 x 4"),
        (changed(bg_diff=np.zeros((4, 5, 3), bool)), "bool of shape 4 x 5 x 3"),
        (changed(bg_diff=DIFFERENCE * 37), "values -259..-259"),
        (changed(bg_diff=np.full((1, 1, 3), 256)), "values 256..256"),
        (changed(bg_diff=np.full((1, 1, 3), 2**63, np.uint64)), "values 9223372036854775808"),
        (changed(fg_mask="x"), "fg_mask; found str"),
        (changed(fg_mask=MASK[:, :, 0]), "int64 of shape 2 x 3;"),
        (changed(fg_mask=MASK[None]), "int64 of shape 1 x 2 x 3 x 1"),
        (changed(fg_mask=np.repeat(MASK, 3, axis=2)), "int64 of shape 2 x 3 x 3"),
        (changed(fg_mask=MASK * 2), "values 0..2"),
        (changed(fg_mask=MASK - 1), "values -1..0"),
        (changed(fg_off=(-1, 0)), "(-1, 0)"),
        (changed(fg_off=(1, 2, 3)), "a tuple of 3"),
        (changed(fg_off=(True, 0)), "(True, 0)"),
        (changed(fg_off=("1", "2")), "str, str"),
        (changed(fg_off=np.array([1, 2])), "fg_off; found ndarray"),
        (without("fg_off"), "fg_mask without fg_off"),
        (without("fg_mask"), "fg_off without fg_mask"),
        (without("bg_diff", "fg_off", "fg_mask"), "an empty patch"),
    ],
)
def test_what_is_no_patch_is_named(content, found):
    with pytest.raises(PatchFormatError) as error:
        read_patch(pickle.dumps(content))
    assert found in str(error.value)


def test_damaged_gzip_is_named():
    packed = gzip.compress(pickle.dumps(WHOLE))
    with pytest.raises(PatchFormatError, match="cut off"):
        read_patch(packed[:-1])
    with pytest.raises(PatchFormatError, match=r"gzip layer is damaged.*incorrect data check"):
        read_patch(packed[:-8] + bytes(4) + packed[-4:])
    with pytest.raises(PatchFormatError, match="after the gzip layer; found 5 bytes"):
        read_patch(packed + b"extra")
    with pytest.raises(PatchFormatError, match="gzip layer"):
        read_patch(b"\x1f\x8b")


@pytest.mark.parametrize("shape", [(70_000, 1), (1, 4097), (1449, 1449)], ids=str)
@pytest.mark.parametrize(("part", "channels"), [("bg_diff", 3), ("fg_mask", 1)])
def test_extreme_sizes_are_refused(part, channels, shape):
    content = changed(**{part: np.zeros((*shape, channels), np.int8)})
    with pytest.raises(PatchFormatError, match=f"{part} is too large; found int8 of shape {shape[0]} x"):
        read_patch(gzip.compress(pickle.dumps(content, protocol=4)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["pkl", "pkl.gz"])
def test_a_patch_unpacks_to_a_bounded_size(pack):
    data = pickle.dumps(WHOLE)
    assert read_patch(pack(data), max_bytes=len(data)).offset == (1, 2)
    with pytest.raises(PatchFormatError, match=f"too large.*more than {len(data) - 1} bytes"):
        read_patch(pack(data), max_bytes=len(data) - 1)


def test_a_gzip_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(2**26))
    tracemalloc.start()
    try:
        with pytest.raises(PatchFormatError, match="too large"):
            read_patch(bomb, max_bytes=2**16)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
