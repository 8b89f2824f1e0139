"""Small images on a disk."""

import json
import pickle

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError, IntegrityError
from producers.training.arrays import ArrayStore


class Grey(ArrayStore):
    name = "grey"
    channels = 1


def array(height, width, value):
    return np.full((height, width, 1), value, np.uint8)


FOUND = [
    ({"keys": "a", "kinds": "x"}, array(2, 3, 7)),
    ({"keys": "b", "kinds": "y"}, "damaged: b ends too early"),
    ({"keys": "c", "kinds": "x"}, array(4, 1, 9)),
    ({"keys": "d", "kinds": "y"}, "empty"),
]


def made(folder, request=None, found=FOUND, check=lambda index: None):
    return Grey.made(folder, request or {"side": (1, 2)}, found, check)


def test_arrays_come_back_as_they_were_with_their_names(tmp_path):
    made(tmp_path)
    store = Grey.opened(tmp_path, {"side": (1, 2)})
    assert len(store) == 2
    assert (store.array(0) == array(2, 3, 7)).all()
    assert (store.array(1) == array(4, 1, 9)).all()
    assert (store.index["keys"], store.index["kinds"]) == (["a", "c"], ["x", "x"])
    assert Grey.opened(tmp_path, {"side": (1, 3)}) is None
    assert Grey.opened(tmp_path / "none", {}) is None


def test_what_cannot_be_used_is_counted_and_said(tmp_path):
    assert made(tmp_path).said() == [
        "left out, damaged: 1",
        "left out, empty: 1",
        "  b ends too early",
        "  d",
    ]


def test_the_digest_is_that_of_the_bytes(tmp_path):
    first, same = made(tmp_path / "a"), made(tmp_path / "b")
    other = made(tmp_path / "c", found=[({"keys": "a"}, array(2, 3, 8))])
    assert first.index["sha256"] == same.index["sha256"] != other.index["sha256"]


def test_an_index_that_is_refused_is_not_written_and_the_one_before_is_gone(tmp_path):
    made(tmp_path)

    def refuse(index):
        raise ConfigurationError(f"{len(index['shapes'])} are too few")

    with pytest.raises(ConfigurationError, match="2 are too few"):
        made(tmp_path, check=refuse)
    assert not (tmp_path / "grey.json").exists()


def test_bytes_that_were_cut_off_are_named(tmp_path):
    made(tmp_path)
    (tmp_path / "grey.bin").write_bytes(b"123")
    with pytest.raises(IntegrityError, match=r"grey\.bin: not of the size.*read the grey anew"):
        Grey.opened(tmp_path, {"side": (1, 2)})


def test_a_store_travels_without_its_bytes(tmp_path):
    store = made(tmp_path)
    assert store.codes.size == 10
    again = pickle.loads(pickle.dumps(store))
    assert "codes" not in vars(again)
    assert json.dumps(again.index) == json.dumps(store.index)
