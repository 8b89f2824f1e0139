"""Selections of images, which may come from anywhere."""

import numpy as np
import pytest

from fornet_hf.errors import SourceError
from fornet_hf.sources.selection import read_selection


@pytest.mark.parametrize(
    ("array", "names"), [(np.array([3, 12]), ["3", "12"]), (np.array(["a", "b c"]), ["a", "b c"])]
)
def test_names_are_numbers_or_texts(tmp_path, array, names):
    np.save(tmp_path / "a.npy", array)
    assert read_selection(tmp_path / "a.npy") == names


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([{}], dtype=object), "cannot be read; found Array can't be memory-mapped"),
        (np.array([[1, 2]]), r"is no selection; found int64, shape \(1, 2\)"),
        (np.array([1.5]), "is no selection; found float64"),
        (np.array([".."]), "a name is not one of a file"),
        (np.array(["../../secret"]), r"a name is not one of a file; found '\.\./\.\./secret'"),
        (np.array([""]), "a name is not one of a file; found ''"),
        (np.array(["a\0b"]), "a name is not one of a file"),
    ],
)
def test_hostile_selections_are_refused(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(SourceError, match=message):
        read_selection(tmp_path / "a.npy")


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04.", b"PK\x03\x04", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<i8'}", b"\x93NUMPY" + bytes(90)]
)
def test_files_that_are_no_arrays_are_refused(tmp_path, data):
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(SourceError, match="cannot be read"):
        read_selection(tmp_path / "a.npy")


def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path):
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (64 - (len(header) + 11) % 64) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(SourceError, match="cannot be read"):
        read_selection(tmp_path / "a.npy")
