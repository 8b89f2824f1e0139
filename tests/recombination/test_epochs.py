"""The epoch reaches every part of a dataset, whoever sets it, or it is said that it does not."""

from __future__ import annotations

import warnings

import datasets
import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import Recombine, recombine_stream, set_epoch
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.epochs import find_clocks


@pytest.fixture
def stream(ds):
    """Of eight seeded examples; in epoch 4 of 4 all are originals."""
    rows = ds.to_iterable_dataset(num_shards=2)
    return recombine_stream(rows, orig_img_prob="linear", return_composition=True, epochs=4, seed=1)


@pytest.fixture
def scheduled(ds):
    ds.set_transform(Recombine(ds, orig_img_prob="linear", return_composition=True, epochs=4, seed=1))
    return ds


def originals(examples):
    return {example["composition"]["original"] for example in examples}


STREAMS = {
    "itself": lambda stream: stream,
    "shuffle": lambda stream: stream.shuffle(seed=0, buffer_size=3),
    "filter": lambda stream: stream.filter(lambda example: example["label"] == 0),
    "map": lambda stream: stream.map(lambda example: example),
    "take": lambda stream: stream.take(3),
    "format": lambda stream: stream.with_format(None),
    "rename": lambda stream: stream.rename_column("label", "labels").skip(1),
}


@pytest.mark.parametrize("name", STREAMS)
def test_set_epoch_of_datasets_reaches_a_stream_and_what_is_derived(stream, name):
    derived = STREAMS[name](stream)
    for epoch, expected in ((0, {False}), (4, {True}), (0, {False})):
        derived.set_epoch(epoch)
        assert originals(derived) == expected
        assert derived.epoch == epoch


def test_examples_of_a_recombined_dataset_become_a_stream_with_epoch(scheduled):
    stream = scheduled.to_iterable_dataset()
    stream.set_epoch(4)
    assert originals(stream) == {True}
    assert datasets.concatenate_datasets([stream, stream]).features["label"] == scheduled.features["label"]


@pytest.mark.parametrize("join", [datasets.interleave_datasets, datasets.concatenate_datasets])
def test_every_part_of_joined_streams_is_reached(ds, join):
    def one():
        return recombine_stream(ds.to_iterable_dataset(), orig_img_prob="linear", return_composition=True)

    joined = join([one(), one(), one().shuffle(seed=0)])
    set_epoch(joined, 4, epochs=4)
    examples = list(joined)
    assert len(examples) >= 22
    assert originals(examples) == {True}


def test_datasets_in_wrappers_of_torch_are_reached(scheduled, ds):
    data = pytest.importorskip("torch.utils.data")
    other = ds.with_transform(Recombine(ds, orig_img_prob="linear", return_composition=True, epochs=4))
    joined = data.ConcatDataset([data.Subset(scheduled, [1, 2]), other])
    loader = data.DataLoader(joined, batch_size=None)
    set_epoch(loader, 4)
    assert originals(loader) == {True}


@pytest.mark.parametrize("thing", [3, None, [1], "train"])
def test_what_is_no_dataset_is_named_with_the_next_step(thing):
    with pytest.raises(ConfigurationError, match=r"has none; found .*; allowed: .*DataLoader.*Recombine"):
        set_epoch(thing, 1)


def test_libraries_find_set_epoch(scheduled, ds):
    scheduled.set_epoch(4)
    assert originals(scheduled) == {True}
    scheduled.with_format(None).set_epoch(4)  # nothing is recombined: nothing to do


@pytest.mark.parametrize("setter", [lambda ds: set_epoch(ds, 5), lambda ds: setattr(ds, "epoch", np.int64(5))])
def test_an_epoch_beyond_the_last_is_told(scheduled, setter):
    set_epoch(scheduled, 4)
    with pytest.warns(RuntimeWarning, match=r"epoch 5 is beyond the 4 epochs that were set.*epochs=\.\.\."):
        setter(scheduled)
    assert originals(scheduled) == {True}


PASSES = {
    "joined": lambda ds: datasets.concatenate_datasets([ds, ds]),
    "alone": lambda ds: ds,
    "part": lambda ds: ds.select(range(6)),
}


@pytest.mark.parametrize("name", PASSES)
def test_an_epoch_that_does_not_arrive_is_noticed(scheduled, name):
    lost = PASSES[name](scheduled)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch in range(4):
            vars(lost)["epoch"] = epoch  # as an attribute of a dataset that has no such property
            list(lost)
    told = [str(warning.message) for warning in caught]
    assert len(told) == 1
    assert told[0].startswith("pass 3 over the rows in epoch 0")
    assert "fornet_hf.set_epoch(ds, epoch)" in told[0]


def part(ds, **parameters):
    return recombine_stream(ds.to_iterable_dataset(num_shards=2), batch_size=2, crop=16, seed=1, **parameters)


def test_joined_streams_whose_epoch_was_set_by_datasets_are_noticed(ds):
    joined = datasets.interleave_datasets([part(ds), part(ds)])
    list(joined)
    joined.set_epoch(1)
    with pytest.warns(RuntimeWarning, match=r"pass 2 over the rows in epoch 0.*fornet_hf\.set_epoch"):
        list(joined)
    set_epoch(joined, 1)
    list(joined)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_that_is_passed_over_again_and_again_is_noticed(ds, workers):
    data = pytest.importorskip("torch.utils.data")
    stream = part(ds)
    loader = data.DataLoader(stream, batch_size=None, num_workers=workers)
    [clock] = find_clocks(stream)
    next(iter(loader))  # a look is no pass
    clock.epoch = 0
    list(loader)
    assert clock._cells[2] == 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(loader)
    assert clock._cells[3] == 1
    assert workers or "pass 2 over" in str(caught[0].message)


def test_a_look_at_a_stream_is_no_pass(ds):
    stream = part(ds)
    for _ in range(3):
        next(iter(stream))
    list(stream)


def test_epochs_that_arrive_and_examples_without_seed_are_no_reason_to_warn(scheduled, ds):
    for epoch in range(5):
        scheduled.epoch = epoch
        list(scheduled)
    drawn = ds.with_transform(Recombine(ds, crop=16))
    evaluated = ds.with_transform(Recombine(ds, crop=16, seed=1, evaluation=True))
    for _ in range(4):
        list(drawn), list(evaluated)


def test_setting_the_epoch_anew_allows_further_passes():
    clock = Clock()
    for _ in range(3):
        clock.advance(2.0, 2)
        clock.epoch = 0
