"""What the configuration admits, what it refuses, and its schedules."""

from __future__ import annotations

import json
import math

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import Recombine
from fornet_hf.recombination.draw.configuration import CropConfig, RecombinationConfig

REFUSED = [
    ("background_combination", "any"),
    ("background_combination", None),
    ("fg_scale_jitter", -0.1),
    ("fg_scale_jitter", 1.1),
    ("fg_scale_jitter", (0.1, 0.2, 0.3)),
    ("fg_scale_jitter", (1.5, 0.2)),
    ("fg_scale_jitter", "0.3"),
    ("pruning_ratio", -1),
    ("pruning_ratio", math.nan),
    ("fg_size_mode", "median"),
    ("fg_bates_n", 1.5),
    ("fg_bates_n", True),
    ("mask_smoothing_sigma", -1),
    ("rel_jut_out", 1.5),
    ("orig_img_prob", 1.5),
    ("orig_img_prob", "exp"),
    ("fg_in_nonant", 9),
    ("fg_in_nonant", -2),
    ("fg_size_fact", 0),
    ("paste_pre_transform", "no"),
    ("crop", 224.5),
    ("flip", 2),
    ("evaluation", 1),
    ("seed", -1),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_value_out_of_range_is_named_with_what_is_allowed(name, value):
    with pytest.raises(ConfigurationError, match=rf"(?s){name} is not allowed; found .*allowed: "):
        RecombinationConfig(**{name: value})


@pytest.mark.parametrize(
    "values",
    [
        {"size": 0},
        {"scale": (0.5, 0.1)},
        {"scale": (0, 1)},
        {"ratio": 1},
        {"ratio": (1, math.inf)},
        {"centre": 0},
        {"interpolation": "nearest"},
    ],
)
def test_a_crop_out_of_range_is_refused(values):
    with pytest.raises(ConfigurationError, match=f"crop.{next(iter(values))}"):
        CropConfig(**values)


@pytest.mark.parametrize(
    "values",
    [{"fg_scale_jitter": (0, 1e6)}, {"fg_scale_jitter": (1, 1e6)}, {"fg_size_fact": 1e6}, {"fg_size_fact": 5e-324}],
)
@pytest.mark.parametrize("crop", [None, {"ratio": (1e-3, 1e3)}, {"ratio": (1e-3, 1e-3)}, {"scale": (1e-6, 1e-6)}])
def test_the_largest_and_smallest_values_work(ds, values, crop):
    recombine = Recombine(ds, **values, crop=None if crop is None else CropConfig(size=32, **crop))
    assert all(min(example["image"].size) > 0 for example in ds.with_transform(recombine))


def test_original_is_another_word_for_orig():
    assert RecombinationConfig(background_combination="original") == RecombinationConfig(
        background_combination="orig"
    )


def test_it_survives_json():
    config = RecombinationConfig(
        fg_scale_jitter=(0.1, 0.8), crop=CropConfig(size=(96, 64)), orig_img_prob="cos", seed=3
    )
    assert RecombinationConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigurationError, match="fg_sacle_jitter"):
        RecombinationConfig.from_json({"fg_sacle_jitter": 0.3})


def test_jitter_is_a_pair_also_from_one_number():
    assert RecombinationConfig(fg_scale_jitter=0.3).jitter == (0.3, 0.3)
    assert RecombinationConfig(fg_scale_jitter=(0.1, 0.8)).jitter == (0.1, 0.8)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("linear", [0, 0.25, 1]),
        ("revlinear", [1, 0.75, 0]),
        ("cos", [0, 1 - math.cos(math.pi / 8), 1]),
        (0.4, [0.4] * 3),
    ],
)
def test_schedules_of_original_images(schedule, expected):
    config = RecombinationConfig(orig_img_prob=schedule)
    assert [config.original_probability(epoch, 8) for epoch in (0, 2, 8)] == pytest.approx(expected)


def test_a_schedule_without_the_number_of_epochs_says_how_to_set_it():
    with pytest.raises(ConfigurationError, match="set_epoch"):
        RecombinationConfig(orig_img_prob="linear").original_probability(0, None)
