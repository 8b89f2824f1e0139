"""Access to backgrounds, however the dataset's rows are stored; choosing is in test_background_choice.py."""

from __future__ import annotations

import copy
import pickle

import datasets
import pytest
from datasets.fingerprint import Hasher

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination.pools.arrow import BackgroundPool

LAYOUTS = {
    "as it is": lambda ds: ds,
    "shuffled": lambda ds: ds.shuffle(seed=3),
    "selected": lambda ds: ds.select([5, 2, 7]),
    "sliced": lambda ds: ds.select(range(3, 7)),
    "concatenated": lambda ds: datasets.concatenate_datasets([ds.select([4, 1]), ds.select(range(2, 6)), ds]),
    "transformed": lambda ds: ds.with_transform(lambda batch: {"x": [0] * len(batch["key"])}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_are_found_in_any_layout(ds, rows, layout):
    arranged = LAYOUTS[layout](ds)
    by_key = {row.key: row for row in rows}
    pool = BackgroundPool(arranged)
    keys = arranged.with_format(None)["key"]
    assert len(pool) == len(arranged)
    for index, key in enumerate(keys):
        assert pool.key(index) == key
        assert pool.read(index) == by_key[key].background
        assert pool.ratio(index) == pytest.approx(by_key[key].foreground_ratio)


def test_memory_mapped_files_are_read_alike(saved, rows):
    pool = BackgroundPool(datasets.load_from_disk(saved))
    assert [pool.read(index) for index in range(8)] == [row.background for row in rows]


def test_shapes_are_those_of_the_images(ds, rows):
    shape = BackgroundPool(ds).pick(0.3, None)
    assert (shape.row, shape.width, shape.height) == (1, 192, 128)


@pytest.mark.parametrize("layout", ["as it is", "shuffled", "transformed"])
def test_the_order_of_rows_does_not_matter(ds, rows, layout):
    pool, keys = BackgroundPool(LAYOUTS[layout](ds)), sorted(row.key for row in rows)
    assert [pool.key(pool.pick((place + 0.5) / 8, None).row) for place in range(8)] == keys


def test_a_pickle_reads_the_same_and_is_small(saved, rows):
    pool = BackgroundPool(datasets.load_from_disk(saved))
    data = pickle.dumps(pool)
    assert len(data) < 20_000
    assert pickle.loads(data).read(5) == rows[5].background


def test_its_hash_costs_nothing_and_tells_datasets_apart(ds, saved):
    data = pickle.dumps(BackgroundPool(ds))
    assert Hasher.hash(BackgroundPool(ds)) == Hasher.hash(pickle.loads(data))
    assert Hasher.hash(BackgroundPool(ds)) != Hasher.hash(BackgroundPool(ds.select([0, 1])))
    assert Hasher.hash(BackgroundPool(ds)) != Hasher.hash(BackgroundPool(ds, 0.1))


def test_another_dataset_is_refused():
    with pytest.raises(ConfigurationError, match=r"found columns \['image'\]; allowed: a ForNet dataset"):
        BackgroundPool(datasets.Dataset.from_dict({"image": [1]}))


@pytest.mark.parametrize("convert", [lambda ds: ds.to_iterable_dataset(), lambda ds: datasets.DatasetDict(train=ds)])
def test_streams_and_dicts_are_refused_with_advice(ds, convert):
    with pytest.raises(ConfigurationError, match="recombine_stream"):
        BackgroundPool(convert(ds))


def test_copies_share_what_never_changes(ds):
    pool = BackgroundPool(ds)
    assert copy.deepcopy(pool) is pool


def test_a_dataset_without_backgrounds_is_refused(ds):
    empty = ds.map(lambda row: {"background": None}, features=ds.features)
    with pytest.raises(ConfigurationError, match="no background"):
        BackgroundPool(empty)


def test_rows_without_a_class_are_of_none(ds):
    unlabelled = ds.map(
        lambda row, index: {"label": None if index == 0 else 0 if index < 3 else 1}, with_indices=True
    )
    pool = BackgroundPool(unlabelled)
    assert {pool.pick(place / 16, 0).row for place in range(16)} == {1, 2}
    assert {pool.pick(place / 16, None).row for place in range(16)} == set(range(8))
