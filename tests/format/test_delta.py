"""Deltas: exact, and read with distrust."""

import bz2
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import PatchFormatError
from fornet_hf.format.delta import MAX_INSTRUCTIONS, apply_delta, make_delta

SOURCE = bytes(range(256)) * 4


def number(value):
    """Sign and magnitude, little-endian, as bsdiff writes it."""
    return struct.pack("<Q", abs(value) | (1 << 63 if value < 0 else 0))


def delta(instructions=((4, 2, 0),), difference=b"\0" * 4, extra=b"xy", size=6, *, blocks=None, magic=b"BSDIFF40"):
    """A delta, built from its parts."""
    control = b"".join(number(n) for instruction in instructions for n in instruction)
    control, difference, extra = blocks or [bz2.compress(block) for block in (control, difference, extra)]
    return magic + number(len(control)) + number(len(difference)) + number(size) + control + difference + extra


def test_the_parts_mean_what_the_format_says():
    assert apply_delta(SOURCE, delta(), max_bytes=6) == bytes([0, 1, 2, 3]) + b"xy"
    twice = delta([(2, 0, 3), (2, 0, -7)], bytes([1, 1, 255, 255]), b"", 4)
    assert apply_delta(SOURCE, twice, max_bytes=4) == bytes([1, 2, 4, 5])
    assert apply_delta(SOURCE, delta([], b"", b"", 0), max_bytes=4) == b""


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_apply_undoes_make(prediction, target):
    assert apply_delta(prediction, make_delta(prediction, target), max_bytes=len(target)) == target


def bomb(size=10**8):
    return bz2.compress(bytes(size))


GOOD = [bz2.compress(number(4) + number(2) + number(0)), bz2.compress(bytes(4)), bz2.compress(b"xy")]
HOSTILE = {
    "empty": (b"", "header"),
    "other magic": (delta(magic=b"BSDIFF41"), "header"),
    "header cut": (delta()[:31], "header"),
    "cut": (delta()[:-3], "extra block"),
    "bytes at the end": (delta() + b"!", "extra block"),
    "no blocks": (delta()[:32], "impossible"),
    "huge target": (delta(size=2**40), "1099511627776"),
    "target just above the limit": (delta(size=1001), "0 to 1000"),
    "negative target": (delta(size=-1), "-1"),
    "negative block": (b"BSDIFF40" + number(-5) + number(5) + number(6) + bytes(20), "impossible"),
    "block beyond the end": (b"BSDIFF40" + number(5) + number(2**62) + number(6) + bytes(20), "impossible"),
    "control bomb": (delta(blocks=[bomb(), *GOOD[1:]]), "control block is too long"),
    "difference bomb": (delta(blocks=[GOOD[0], bomb(), GOOD[2]]), "difference block is too long"),
    "extra bomb": (delta(blocks=[*GOOD[:2], bomb()]), "extra block is too long"),
    "control not bz2": (delta(blocks=[b"garbage!", *GOOD[1:]]), "control block is damaged"),
    "control cut": (delta(blocks=[bz2.compress(bytes(25)), *GOOD[1:]]), "multiple of 24"),
    "reads behind": (delta([(4, 2, 0)] * 1 + [(2000, 0, 0)], bytes(2004), b"xy", 2006), "limit|outside|0 to 1000"),
    "reads before": (delta([(2, 0, -9), (2, 2, 0)]), "outside"),
    "jumps far": (delta([(2, 0, 2**39), (2, 2, 0)]), "outside"),
    "negative copy": (delta([(-4, 2, 0)]), "outside"),
    "negative insert": (delta([(4, -2, 0)]), "outside"),
    "impossible length": (delta([(2**62, 2, 0)]), "impossible length"),
    "too little": (delta([(4, 1, 0)]), "add up"),
    "too much": (delta([(4, 3, 0)]), "add up"),
    "no instructions": (delta([]), "add up"),
    "blocks longer than instructed": (delta(difference=bytes(3)), "add up"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_deltas_are_format_errors(name):
    data, says = HOSTILE[name]
    with pytest.raises(PatchFormatError, match=says):
        apply_delta(SOURCE, data, max_bytes=1000)


def test_reading_past_the_prediction_is_refused_where_sizes_allow_it():
    with pytest.raises(PatchFormatError, match="outside of the prediction"):
        apply_delta(SOURCE, delta([(1030, 0, 0)], bytes(1030), b"", 1030), max_bytes=2000)


def test_the_control_block_is_bounded_whatever_the_target():
    instructions = bz2.compress(bytes(24 * (MAX_INSTRUCTIONS + 1)))
    with pytest.raises(PatchFormatError, match="control block is too long"):
        apply_delta(SOURCE, delta(size=2**26, blocks=[instructions, *GOOD[1:]]), max_bytes=2**27)


def test_every_flipped_bit_is_an_error_or_another_result_but_never_a_crash():
    good = make_delta(SOURCE, SOURCE[:500] + b"new" + SOURCE[510:])
    for at in range(8 * len(good)):
        data = bytearray(good)
        data[at // 8] ^= 1 << at % 8
        try:
            result = apply_delta(SOURCE, bytes(data), max_bytes=2000)
        except PatchFormatError:
            continue
        assert len(result) <= 2000
