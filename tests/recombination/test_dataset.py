"""Epochs reach the recombination on every way, in this process and in workers."""

from __future__ import annotations

import multiprocessing

import datasets
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import PreparedDataset, Recombine, as_prepared, recombine_stream, set_epoch


@pytest.fixture
def scheduled(saved):
    """In epoch 0 of 4 never an original, in epoch 4 always."""
    ds = datasets.load_from_disk(saved)
    ds.set_transform(Recombine(ds, orig_img_prob="linear", return_composition=True, epochs=4))
    return ds


def originals(examples):
    return [example["composition"]["original"] for example in examples]


DERIVED = {
    "itself": lambda ds: ds,
    "select": lambda ds: ds.select([1, 2]),
    "shuffle": lambda ds: ds.shuffle(seed=0),
    "repeat": lambda ds: ds.repeat(2),
    "shard": lambda ds: ds.shard(num_shards=2, index=0),
    "split": lambda ds: ds.train_test_split(test_size=0.5, seed=0)["train"],
    "filter": lambda ds: ds.filter(lambda key: not key.endswith("0"), input_columns="key"),
    "renamed": lambda ds: ds.add_column("more", [1] * 8).rename_column("more", "other"),
}


@pytest.mark.parametrize("name", DERIVED)
def test_the_attribute_works_on_derived_datasets(scheduled, name):
    derived = DERIVED[name](scheduled)
    assert isinstance(derived, PreparedDataset)
    derived.epochs, derived.epoch = 4, 4
    assert originals([derived[0], derived[1]]) == [True, True]
    assert scheduled.epoch == 4


def test_set_epoch_works_where_attributes_are_lost(scheduled):
    joined = datasets.concatenate_datasets([scheduled, scheduled.select([0])])
    set_epoch(joined, 8, epochs=8)
    assert originals([joined[8], scheduled[0]]) == [True, True]
    set_epoch(datasets.DatasetDict(train=scheduled), 0)
    assert originals([joined[8], scheduled[0]]) == [False, False]


def test_set_epoch_works_on_streams(scheduled):
    rows = scheduled.with_format(None).to_iterable_dataset(num_shards=2)
    stream = recombine_stream(rows, orig_img_prob="linear", return_composition=True).shuffle(seed=0, buffer_size=3)
    set_epoch(stream, 4, epochs=4)
    assert originals(stream) == [True] * 8


def test_a_schedule_without_epochs_is_refused_when_a_row_is_read(ds):
    ds.set_transform(Recombine(ds, orig_img_prob="cos"))
    with pytest.raises(ConfigurationError, match="set_epoch"):
        ds[0]


@pytest.mark.parametrize("value", [-1, float("inf"), "3", True])
def test_epochs_are_numbers(scheduled, value):
    with pytest.raises(ConfigurationError, match="epoch is not allowed"):
        scheduled.epoch = value


def test_without_a_recombination_there_is_no_epoch(ds):
    with pytest.raises(ConfigurationError, match="set_transform"):
        as_prepared(ds).epoch = 3
    with pytest.raises(ConfigurationError, match="set_transform"):
        set_epoch(ds.to_iterable_dataset(), 3)


def test_every_part_of_a_dict_becomes_a_dataset_with_epoch(ds):
    both = as_prepared(datasets.DatasetDict(train=ds, validation=ds.select([0])))
    assert {type(part) for part in both.values()} == {PreparedDataset}


def _flag(batch):
    return [example["composition"]["original"] for example in batch]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_that_stay_see_the_new_epoch(scheduled, method):
    data = pytest.importorskip("torch.utils.data")
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    loader = data.DataLoader(
        scheduled,
        batch_size=4,
        num_workers=1,
        persistent_workers=True,
        multiprocessing_context=method,
        collate_fn=_flag,
    )
    for epoch, expected in ((0, False), (4, True), (0, False)):
        scheduled.epoch = epoch
        assert [flag for batch in loader for flag in batch] == [expected] * 8


def _images(batch):
    return [example["image"].tobytes() for example in batch]


def _compositions(batch):
    return [example["composition"] for example in batch]


def test_with_a_seed_the_number_of_workers_does_not_matter(saved):
    data = pytest.importorskip("torch.utils.data")
    ds = datasets.load_from_disk(saved)
    ds.set_transform(Recombine(ds, seed=3, crop=64, flip=0.5))
    runs = []
    for size, workers in ((8, 0), (3, 2)):
        loader = data.DataLoader(ds, batch_size=size, num_workers=workers, collate_fn=_images)
        runs.append([image for batch in loader for image in batch])
    assert runs[0] == runs[1]


def test_without_a_seed_workers_and_epochs_differ(saved):
    torch = pytest.importorskip("torch")
    ds = datasets.load_from_disk(saved)
    ds.set_transform(Recombine(ds, return_composition=True))
    same = ds.select([0, 0, 0, 0])
    same[0]  # a generator that the workers could inherit
    loader = torch.utils.data.DataLoader(same, batch_size=1, num_workers=2, collate_fn=_compositions)
    made = [str(composition) for _ in range(2) for batch in loader for composition in batch]
    assert len(set(made)) == len(made)
