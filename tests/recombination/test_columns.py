"""Rows straight from Arrow: the same examples as by way of `datasets`, and no image is opened for them."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import datasets
import numpy as np
import pytest

from fornet_hf.features import LazyImage
from fornet_hf.recombination import Recombine
from fornet_hf.recombination.columns import Rows
from tests.recombination.conftest import as_dataset
from tests.recombination.pools.test_arrow import LAYOUTS

NAMES = ("key", "label", "foreground", "mask", "background", "box", "foreground_ratio")


def recombined(ds, **parameters):
    ds.set_transform(Recombine(ds, seed=5, crop=48, return_composition=True, **parameters))
    return ds


def comparable(examples):
    return [{**example, "image": example["image"].tobytes()} for example in examples]


def by_slice(ds, places):
    batch = ds[places]
    return [{name: values[n] for name, values in batch.items()} for n in range(len(places))]


@pytest.fixture
def unopened(monkeypatch):
    """Fails where `datasets` opens an image."""

    def opened(*_):
        raise AssertionError("an image was opened")

    return lambda: monkeypatch.setattr(LazyImage, "decode_example", opened)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "transformed"])
def test_examples_of_a_loader_are_those_of_a_slice(ds, unopened, layout):
    ds = recombined(LAYOUTS[layout](ds), keep=("key", "box", "foreground_ratio"))
    last = len(ds) - 1
    expected = comparable(by_slice(ds, [2, 0, last, 1]))
    ds.epoch = 0
    unopened()
    assert comparable(ds.__getitems__([2, 0, -1, np.int64(1)])) == expected
    assert ds.__getitems__([]) == []


def test_what_a_row_lacks_stays_away(rows, unopened):
    """Nulls are not the empty bytes beside them."""
    some = [rows[0], replace(rows[1], foreground=None, mask=None, box=None), replace(rows[2], background=None)]
    ds = recombined(as_dataset(some), background_combination="orig")
    expected = comparable(by_slice(ds, [0, 1, 2]))
    unopened()
    assert comparable(ds.__getitems__([0, 1, 2])) == expected
    stored = Rows(ds, NAMES)[1]
    assert (stored["foreground"], stored["mask"], stored["box"]) == (None, None, None)


def test_images_in_files_are_left_to_datasets(ds, rows, tmp_path):
    def in_a_file(row, number):
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(row["foreground"]["bytes"])
        return {"foreground": {"path": str(file), "bytes": None}}

    undecoded = ds.cast_column("foreground", datasets.Image(decode=False))
    filed = undecoded.map(in_a_file, with_indices=True).cast_column("foreground", datasets.Image())
    assert not Rows(filed, NAMES).complete
    assert comparable(recombined(filed).__getitems__([3, 1])) == comparable(recombined(ds).__getitems__([3, 1]))


def test_kept_images_are_images(ds):
    kept = recombined(ds, keep=("background",)).__getitems__([3])[0]["background"]
    assert kept.size == (192, 128)


@pytest.mark.parametrize("place", [8, -9])
def test_a_row_that_is_not_there(ds, place):
    with pytest.raises(IndexError, match=str(place)):
        recombined(ds).__getitems__([0, place])


def test_derived_datasets_have_their_own_rows(ds):
    first = recombined(ds, keep=("key",))
    assert [example["key"] for example in first.__getitems__([0, 1])] == first.with_format(None)["key"][:2]
    other = first.select([5, 6])
    assert [example["key"] for example in other.__getitems__([0, 1])] == first.with_format(None)["key"][5:7]
    for twin in (copy.deepcopy(other), pickle.loads(pickle.dumps(other))):
        assert [example["key"] for example in twin.__getitems__([0])] == [other.with_format(None)["key"][0]]


def test_columns_that_are_asked_for_later_are_read_too(ds):
    assert "key" not in recombined(ds).__getitems__([0])[0]
    assert "key" in recombined(ds, keep=("key",)).__getitems__([0])[0]
