"""Arguments of NumPy's types, misspelt keywords, and the same thing said twice: at every door."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fornet_hf import load_dataset
from fornet_hf.arguments import check_keywords, either, plain
from fornet_hf.builder import workers
from fornet_hf.errors import ConfigurationError
from fornet_hf.layout.dataset import ForNetDataset
from fornet_hf.recombination import CropConfig, RecombinationConfig, Recombine, StreamingRecombine, recombine_stream
from fornet_hf.recombination.draw.clock import Clock
from tests.factory import make_row
from tests.recombination.conftest import as_dataset


@pytest.fixture(scope="module")
def ds():
    return as_dataset([make_row(index) for index in range(3)])


DOORS = {
    "Recombine": Recombine,
    "StreamingRecombine": lambda ds, **keywords: StreamingRecombine(**keywords),
    "recombine_stream": lambda ds, **keywords: recombine_stream(ds.to_iterable_dataset(), **keywords),
    "load_dataset": lambda ds, **keywords: load_dataset("none", **keywords),
    "ForNetDataset": lambda ds, **keywords: ForNetDataset("none", **keywords),
}
OWN = {"StreamingRecombine": "pool_size", "recombine_stream": "batch_size", "load_dataset": "imagenet_dir"}


@pytest.mark.parametrize("door", DOORS)
def test_an_unknown_keyword_is_named_alone_with_the_nearest_and_with_all_that_this_door_takes(ds, door):
    with pytest.raises(ConfigurationError) as caught:
        DOORS[door](ds, fg_scale_jiter=0.5, flip=0.5)
    found, _, allowed = str(caught.value).partition("; allowed: ")
    assert found == "unknown keyword; found fg_scale_jiter"
    assert allowed.endswith("Did you mean fg_scale_jitter?")
    known = {"transform", "target_transform", "return_fg_masks", "fg_transform", "epochs", "crop", "flip"}
    assert known | {OWN.get(door, "seed")} <= set(allowed.partition(".")[0].split(", "))


def test_a_keyword_like_no_other_has_no_neighbour():
    with pytest.raises(ConfigurationError, match=r"^unknown keywords; found qqq, zzz; allowed: crop, flip$"):
        check_keywords(["zzz", "flip", "qqq"], ["flip", "crop"])


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"load_dataset"}))
def test_the_same_hook_under_two_names_is_refused(ds, door):
    with pytest.raises(ConfigurationError, match="foreground_transform and fg_transform were both given"):
        DOORS[door](ds, fg_transform=lambda x: x, foreground_transform=lambda x: x)


def test_other_second_names_are_refused_too():
    with pytest.raises(ConfigurationError, match="size_fact and fg_size_fact were both given"):
        ForNetDataset("none", size_fact=2.0, fg_size_fact=2.0)
    with pytest.raises(ConfigurationError, match="imagenet_dir and orig_ds were both given"):
        ForNetDataset("none", imagenet_dir="a", orig_ds="b")


def test_what_was_given_under_one_name_is_found():
    assert either(a=None, b=3) == 3
    assert either(a=None, b=None) is None


CROPS = [np.int64(96), (np.int32(96), np.uint8(64)), np.array([96, 64]), CropConfig(size=np.int16(96))]


@pytest.mark.parametrize("crop", CROPS, ids=str)
def test_numbers_of_numpy_make_crops(ds, crop):
    config = Recombine(ds, crop=crop).config
    assert RecombinationConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.uint8])
def test_numbers_of_numpy_are_numbers(kind):
    values = {
        "fg_scale_jitter": (kind(0), kind(1)),
        "pruning_ratio": kind(1),
        "mask_smoothing_sigma": kind(4),
        "rel_jut_out": kind(0),
        "orig_img_prob": kind(1),
        "fg_size_fact": kind(2),
        "flip": kind(1),
        "evaluation": np.bool_(True),
    }
    config = RecombinationConfig(**values)
    assert config == RecombinationConfig(**{name: plain(value) for name, value in values.items()})
    assert json.loads(json.dumps(config.to_json()))["flip"] == 1
    clock = Clock(kind(1), kind(3))
    assert (clock.epoch, clock.epochs) == (1, 3)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32])
def test_integers_of_numpy_are_integers(ds, kind):
    config = RecombinationConfig(fg_bates_n=kind(3), fg_in_nonant=kind(8), seed=kind(7))
    assert json.loads(json.dumps(config.to_json()))["seed"] == 7
    assert workers(kind(1)) == 1
    stream = recombine_stream(ds.to_iterable_dataset(), batch_size=kind(2), pool_size=kind(3), crop=kind(16))
    assert len(list(stream)) == 3


@pytest.mark.parametrize("value", [np.nan, np.float32("nan"), np.array([[1, 2], [3, 4]]), np.str_("x")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ConfigurationError, match="fg_size_fact is not allowed"):
        RecombinationConfig(fg_size_fact=value)


@pytest.mark.parametrize(("name", "value"), [("batch_size", 0), ("batch_size", "8"), ("pool_size", True)])
def test_sizes_are_positive_integers(ds, name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed; found .*; allowed: 1 or more"):
        recombine_stream(ds.to_iterable_dataset(), **{name: value})


@pytest.mark.parametrize("crop", ["224", 224.0])
def test_a_crop_of_another_type_says_that_integers_work(ds, crop):
    with pytest.raises(ConfigurationError, match=r"crop is not allowed; found .*224.*; allowed: pixels \(224\)"):
        Recombine(ds, crop=crop)


@pytest.mark.parametrize("door", ["Recombine", "StreamingRecombine", "recombine_stream", "ForNetDataset"])
def test_a_dict_is_no_config_but_becomes_one(ds, door):
    with pytest.raises(ConfigurationError, match=r"config is not allowed; found dict; .*from_json\(config\)"):
        DOORS[door](ds, config={"flip": 0.5})
