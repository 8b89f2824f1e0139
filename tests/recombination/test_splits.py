"""Validation is evaluation, through every door; what was said wins."""

from __future__ import annotations

import datasets
import pytest

from fornet_hf.recombination import RecombinationConfig, Recombine, as_prepared, recombine_stream, set_epoch
from fornet_hf.recombination.draw.configuration import names_in
from tests.recombination.conftest import as_dataset

SPLITS = {
    "train": False,
    "validation": True,
    "validation[:10%]": True,
    "validation[:50%]+validation[80%:]": True,
    "train[:10%]+validation": False,
    "test": True,
    None: False,
}


@pytest.mark.parametrize(("split", "expected"), SPLITS.items())
def test_the_split_decides(split, expected):
    assert RecombinationConfig().for_split(split).evaluation is expected


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("split", SPLITS)
def test_what_was_said_wins(split, said):
    assert RecombinationConfig(evaluation=said).for_split(split).evaluation is said


def test_the_splits_of_a_slice_are_named():
    assert names_in(" validation[:3] + train[5%:]") == ["train", "validation"]
    assert names_in(["train[:1]", "train[1:]"]) == ["train"]


def of_split(rows, name):
    return as_prepared(datasets.Dataset(as_dataset(rows).data, split=datasets.Split(name)))


DOORS = {
    "Recombine": lambda ds, **given: ds.with_transform(Recombine(ds, **given)),
    "a stream": lambda ds, **given: recombine_stream(ds.to_iterable_dataset(), **given),
}
GIVEN = {"keywords": dict, "config": lambda **given: {"config": RecombinationConfig(**given)}}


@pytest.mark.parametrize("how", GIVEN)
@pytest.mark.parametrize("door", DOORS)
def test_two_passes_over_validation_are_equal_unless_they_shall_differ(rows, door, how):
    def two(split, **more):
        examples = DOORS[door](of_split(rows, split), **GIVEN[how](flip=0.5, **more))
        made = []
        for epoch in range(2):
            set_epoch(examples, epoch)
            made.append([example["image"].tobytes() for example in examples])
        return made[0] == made[1]

    assert two("validation")
    assert not two("train")
    assert not two("validation", evaluation=False)
    assert two("train", evaluation=True)


def test_a_part_of_validation_stays_validation(rows):
    ds = of_split(rows, "validation").select([1, 2]).shuffle(seed=0)
    assert Recombine(ds).config.evaluation is True
