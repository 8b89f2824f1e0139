"""Only data comes out of a pickle: no name in it is imported, called or trusted."""

import builtins
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fornet_hf.errors import PatchFormatError
from fornet_hf.release.legacy.unpickle import unpickle

RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"


class Calls:
    """Pickles into a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def array_pickle(shape: bytes, element: bytes = b"i8", raw: bytes = bytes(8)) -> bytes:
    """A dict with one array, written by hand so that its shape may lie."""
    element_type = b"cnumpy\ndtype\n(" + text(element.decode()) + b"\x89\x88tR(K\x03" + text("<")
    element_type += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"(K\x01" + shape + element_type + b"\x89B" + struct.pack("<I", len(raw)) + raw + b"tb"
    return b"\x80\x03}" + text("a") + RECONSTRUCT + state + b"s."


def integer(value):
    raw = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + raw


def hostile_code(marker: Path) -> dict[str, tuple[bytes, str]]:
    """Pickles that would create `marker`, and the name which the message must have."""
    command = f"touch {marker}"
    write = f"open({str(marker)!r}, 'w').close()"
    shell = f"{os.system.__module__}.system"
    return {
        "reduce, protocol 0": (pickle.dumps(Calls(os.system, command), 0), shell),
        "reduce, protocol 2": (pickle.dumps(Calls(os.system, command), 2), shell),
        "reduce, protocol 4": (pickle.dumps(Calls(os.system, command), 4), shell),
        "reduce, protocol 5": (pickle.dumps({"bg_diff": Calls(os.system, command)}, 5), shell),
        "global": (b"cos\nsystem\n(" + text(command) + b"tR.", "os.system"),
        "stack global": (b"\x80\x04\x8c\x02os\x8c\x06system\x93" + text(command) + b"\x85R.", "os.system"),
        "inst": (b"(" + text(command) + b"ios\nsystem\n.", "INST os system"),
        "obj": (b"(cos\nsystem\n" + text(command) + b"o.", "os.system"),
        "newobj": (b"\x80\x02csubprocess\nPopen\n" + text(command) + b"\x85\x81.", "subprocess.Popen"),
        "nested getattr": (
            b"\x80\x04cbuiltins\ngetattr\n(cos\n__dict__\n" + text("system") + b"tR" + text(command) + b"\x85R.",
            "builtins.getattr",
        ),
        "dotted name": (b"\x80\x04" + text("numpy") + text("os.system") + b"\x93.", "numpy.os.system"),
        "a neighbour in numpy": (
            b"\x80\x04cnumpy.testing._private.utils\nrunstring\n" + text(write) + b"}\x86R.",
            "runstring",
        ),
        "eval": (pickle.dumps(Calls(builtins.eval, write), 4), "builtins.eval"),
        "exec": (pickle.dumps(Calls(builtins.exec, write), 3), "exec"),
        "extension registry": (b"\x80\x02\x82\x01.", "EXT1"),
        "persistent id": (b"Pos.system\n.", "PERSID"),
        "state of a function": (
            b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n}X\x01\x00\x00\x00aK\x01sb.",
            "Named",
        ),
    }


@pytest.mark.parametrize("case", list(hostile_code(Path("x"))))
def test_code_in_a_pickle_is_named_and_not_run(case, tmp_path):
    marker = tmp_path / "ran"
    data, name = hostile_code(marker)[case]
    with pytest.raises(PatchFormatError) as error:
        unpickle(data)
    assert name in str(error.value)
    assert "damaged" not in str(error.value)
    assert not marker.exists()


def test_the_hostile_pickles_are_live(tmp_path):
    marker = tmp_path / "ran"
    pickle.loads(hostile_code(marker)["stack global"][0])
    assert marker.exists()


def nested_tuples(depth):
    """A tuple that takes 2**depth steps to hash or to print, under a dict."""
    return b"".join([b"\x80\x04})\x94", *(b"h%ch%c\x86\x94" % (level, level) for level in range(depth))])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(array_pickle(b"K\x01\x85", b"O8"), "O8", id="objects"),
        pytest.param(pickle.dumps({"a": np.array([{}, []], dtype=object)}), "O8", id="objects by numpy"),
        pytest.param(array_pickle(b"K\x01\x85", b"V8"), "V8", id="records"),
        pytest.param(array_pickle(b"K\x01\x85", b"f8"), "f8", id="floats"),
        pytest.param(array_pickle(b"K\x01\x85", b"i8, O"), "i8, O", id="structured"),
        pytest.param(array_pickle(integer(2**62) + b"\x85"), str(2**62), id="huge shape"),
        pytest.param(array_pickle(integer(2**62) + integer(4) + b"\x86"), str(2**62), id="shape that overflows"),
        pytest.param(array_pickle(integer(-1) + b"\x85"), "(-1,)", id="negative side"),
        pytest.param(array_pickle(integer(-1) + integer(-1) + b"\x86"), "(-1, -1)", id="negative sides"),
        pytest.param(array_pickle(b"K\x00" + integer(2**62) + b"\x86", raw=b""), "(0, ", id="empty side"),
        pytest.param(array_pickle(b"K\x02\x85"), "8 bytes for shape (2,)", id="too few bytes"),
        pytest.param(array_pickle(text("8")), "str", id="shape that is no tuple"),
        pytest.param(array_pickle(b"(" + b"K\x01" * 60 + b"t"), "(1, 1", id="too many dimensions"),
        pytest.param(b"\x80\x03}" + text("a") + RECONSTRUCT + b"s.", "no state", id="array without state"),
        pytest.param(b"\x80\x03}" + text("a") + RECONSTRUCT + b"K\x05bs.", "int for Array", id="wrong state"),
        pytest.param(pickle.dumps({1: 2}), "int", id="key that is no text"),
        pytest.param(nested_tuples(60) + b"K\x01s.", "tuple", id="key that takes for ever to hash"),
        pytest.param(pickle.dumps([1]), "EMPTY_LIST", id="list"),
        pytest.param(pickle.dumps(3), "int", id="no dict"),
        pytest.param(b"\x80\x03N" + b"0N" * 2000 + b".", "POP", id="stack play"),
        pytest.param(b"\x80\x03" + b"N" * 2000 + b".", "1000", id="endless"),
        pytest.param(b"\x80\x03}r\xff\xff\xff\x7fh\x07.", "damaged", id="memo without entry"),
        pytest.param(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.", "damaged", id="huge declared bytes"),
        pytest.param(b"\x80\x04s.", "damaged", id="empty stack"),
        pytest.param(b"", "0 bytes", id="nothing"),
        pytest.param(b"\xff\xd8\xff\xe0", "4 bytes", id="another format"),
    ],
)
def test_what_is_no_plain_array_is_refused(data, found):
    with pytest.raises(PatchFormatError) as error:
        unpickle(data)
    assert found in str(error.value)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("element", ["bool", "int8", "uint8", "<i2", ">i2", ">i8", "int64", "uint32"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_out_as_numpy_wrote_them(protocol, element, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4) % 5, dtype=element, order=order)
    value = unpickle(pickle.dumps({"a": array, "again": array}, protocol))
    assert value["a"].dtype == array.dtype
    np.testing.assert_array_equal(value["a"], array)
    np.testing.assert_array_equal(value["again"], array)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_plain_values_come_out_as_they_are(protocol):
    plain = {
        "offset": (3, -70000),
        "numbers": (0, 255, 65535, 2**40),
        "none": None,
        "text": "é",
        "raw": b"\0",
        "t": (),
    }
    assert unpickle(pickle.dumps(plain, protocol)) == plain
    assert unpickle(pickle.dumps({"o": (np.int64(5), np.uint8(7))}, protocol)) == {"o": (5, 7)}


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_both_homes_of_numpy_functions_are_known(module):
    data = array_pickle(b"K\x01\x85").replace(b"numpy.core.multiarray", module)
    np.testing.assert_array_equal(unpickle(data)["a"], [0])


def test_a_cut_pickle_is_named_as_such():
    data = pickle.dumps({"a": np.arange(6)})
    for length in range(len(data)):
        with pytest.raises(PatchFormatError, match=f"damaged.*{length} bytes"):
            unpickle(data[:length])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_read_but_never_crashes(data):
    sound = pickle.dumps({"bg_diff": np.arange(6), "fg_off": (np.int64(1), 2)}, data.draw(st.integers(3, 5)))
    damaged = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    try:
        unpickle(bytes(damaged))
    except PatchFormatError as error:
        assert str(error)  # noqa: PT017
