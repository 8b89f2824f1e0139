"""The metrics of ImageNet-9 equal tables that were reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.data.names import VARIANTS
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.measures.in9 import CATEGORIES, ImageNet9, imbalance
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap

NINE = ("dog", "bird", "vehicle", "reptile", "carnivore", "insect", "instrument", "primate", "fish")


def answers(conditions, predicted, labels, classes=NINE, backgrounds=None) -> Predictions:
    predicted = np.array(predicted, np.int32)
    shape, items = predicted.shape, len(labels)
    return Predictions(
        conditions=conditions,
        keys=[f"item {number}" for number in range(items)],
        sources=[f"source {number}" for number in range(items)],
        labels=np.array(labels, np.int64),
        class_names=classes,
        predicted=predicted,
        probability=np.zeros(shape, np.float32),
        backgrounds=np.full(shape, -1, np.int32) if backgrounds is None else np.array(backgrounds, np.int32),
        background_keys=np.full(shape, ""),
        reasons=dict.fromkeys(map(tuple, np.argwhere(predicted == NOT_SHOWN).tolist()), "no box"),
    )


def measured(predictions: Predictions) -> dict:
    values = ImageNet9().values(predictions, Bootstrap(0, 50))
    table = {(one.measure, one.part): one for one in values}
    assert len(table) == len(values), "two values of one name"
    return table


# Five images of two classes; columns: original, only_bg_t, mixed_same, mixed_rand. The last one is not in the paper's
# categories, since its foreground was not shown.
TABLE = answers(
    ("original", "only_bg_t", "mixed_same", "mixed_rand"),
    [
        [0, 0, 0, 1],  # original and background, not the foreground: BG Required
        [1, 1, 0, 0],  # the foreground only: BG Fools; its own class is 0
        [1, 0, 1, 0],  # the original only: BG+FG Required
        [1, 1, 1, 1],  # all: irrelevant
        [NO_LABEL, 1, 1, 1],  # foreground and background, not the original: BG+FG Fools
        [1, 0, 1, NOT_SHOWN],
    ],
    [0, 0, 1, 1, 1, 1],
    ("ant", "bee"),
    [[-1, -1, 0, 1], [-1, -1, 0, 1], [-1, -1, 1, 0], [-1, -1, 1, 1], [-1, -1, 1, 0], [-1, -1, 1, -1]],
)


@pytest.mark.parametrize(
    ("measure", "part", "value", "n"),
    [
        ("accuracy", "original", 4 / 6, 6),
        ("accuracy", "only_bg_t", 3 / 6, 6),
        ("accuracy", "mixed_same", 6 / 6, 6),
        ("accuracy", "mixed_rand", 3 / 5, 5),
        ("accuracy", "original class ant", 1 / 2, 2),
        ("accuracy", "original class bee", 3 / 4, 4),
        ("accuracy", "mixed_rand class bee", 2 / 3, 3),
        ("bg_gap", "", 1 - 3 / 5, 5),
        ("category", "BG Required", 1 / 5, 5),
        ("category", "BG Fools", 1 / 5, 5),
        ("category", "BG+FG Required", 1 / 5, 5),
        ("category", "BG+FG Fools", 1 / 5, 5),
        ("category", "BG Irrelevant", 1 / 5, 5),
        # backgrounds of another class: items 0 (taken for it), 1 (not), 2 (taken for it), 4 (not)
        ("attack_success", "mixed_rand", 2 / 4, 4),
        ("attack_success", "mixed_rand background ant", 1 / 2, 2),
        ("attack_success", "mixed_rand background bee", 1 / 2, 2),
    ],
)
def test_equals_the_table_made_by_hand(measure, part, value, n):
    found = measured(TABLE)[measure, part]
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.n == n


def test_what_was_not_shown_is_counted():
    found = measured(TABLE)
    for name in [("accuracy", "mixed_rand"), ("bg_gap", ""), ("category", "BG Fools")]:
        assert found[name].left_out == {"no box": 1}
    assert found["accuracy", "original"].left_out == {}


def test_classes_that_are_not_balanced_are_named():
    assert "classes are not balanced: 2 of ant to 4 of bee" in measured(TABLE)["accuracy", "original"].note
    assert imbalance(np.array([0, 1]), ("ant", "bee")) == ""
    assert imbalance(np.array([0, 0]), ("ant", "bee")) == "classes are not balanced: 0 of bee to 2 of ant"


def test_images_of_one_class_have_accuracies_and_a_note():
    found = measured(answers(("mixed_same", "mixed_rand"), [[0, 0], [0, 1]], [0, 0], ("ant", "bee")))
    assert {measure for measure, _ in found} == {"accuracy", "bg_gap"}
    assert (found["bg_gap", ""].value, found["accuracy", "mixed_rand"].value) == (None, 0.5)
    assert "images of one class alone" in found["bg_gap", ""].note
    assert "not balanced: 0 of bee to 2 of ant" in found["accuracy", "mixed_rand"].note


def test_a_class_without_images_has_no_accuracy():
    found = measured(answers(("original",), [[0], [0]], [0, 0], ("ant", "bee")))["accuracy", "original class bee"]
    assert (found.value, found.n, found.note) == (None, 0, "no such images")


def test_a_constant_classifier_is_right_for_one_class_in_nine():
    labels = np.repeat(np.arange(9), 4)
    backgrounds = np.random.default_rng(0).integers(9, size=(36, len(VARIANTS)))
    found = measured(answers(VARIANTS, np.zeros((36, len(VARIANTS))), labels, backgrounds=backgrounds))
    for variant in VARIANTS:
        assert found["accuracy", variant].value == pytest.approx(1 / 9, abs=1e-12)
        assert "balanced" not in found["accuracy", variant].note
        assert found["accuracy", f"{variant} class dog"].value == 1
    assert found["bg_gap", ""].value == found["bg_gap", "infilled"].value == 0
    assert found["category", "BG Irrelevant"].value == 1


@pytest.mark.parametrize(
    ("right", "category"),
    [
        ("original, only_bg_t", "BG Required"),
        ("mixed_rand", "BG Fools"),
        ("original", "BG+FG Required"),
        ("mixed_rand, only_bg_t", "BG+FG Fools"),
        ("original, mixed_rand, only_bg_t", "BG Irrelevant"),
        ("original, mixed_rand", "BG Irrelevant"),
        ("only_bg_t", "BG Irrelevant"),
        ("", "BG Irrelevant"),
    ],
)
def test_each_image_is_in_one_category(right, category):
    variants = ("only_bg_t", "original", "mixed_rand")
    predicted = [[label if name in right else NO_LABEL for name in variants] for label in (0, 1)]
    found = measured(answers(variants, predicted, [0, 1], ("ant", "bee")))
    shares = {part: one.value for (measure, part), one in found.items() if measure == "category"}
    assert shares == {name: float(name == category) for name in (*CATEGORIES, "BG Irrelevant")}


def test_metrics_whose_variants_are_missing_are_named():
    found = measured(answers(("original", "mixed_same"), [[0, 0], [1, 1]], [0, 1]))
    assert found["bg_gap", ""].value is None
    assert found["bg_gap", ""].note == "not available: no mixed_rand among the data"
    assert found["category", "BG Fools"].note == "not available: no mixed_rand, no only_bg_t among the data"
    assert found["attack_success", "mixed_rand"].note == "not available: no mixed_rand among the data"
    assert found["accuracy", "mixed_same"].value == 1


def test_backgrounds_that_are_not_known_make_no_attack():
    found = measured(answers(("mixed_rand",), [[0], [1]], [0, 1]))["attack_success", "mixed_rand"]
    assert found.value is None
    assert "which backgrounds" in found.note


def test_images_on_backgrounds_that_are_not_known_are_counted():
    conditions, backgrounds = ("mixed_rand",), [[1], [-1], [0]]
    found = measured(answers(conditions, [[1], [1], [0], [1]], [0, 0, 0, 1], ("ant", "bee"), [*backgrounds, [1]]))
    one = found["attack_success", "mixed_rand"]
    assert (one.value, one.n) == (1, 1)
    assert one.left_out == {"class of the background not known": 1}


def test_the_gap_is_resampled_in_pairs():
    """Of two variants with the same answers it is 0 in every resample."""
    right = np.random.default_rng(0).integers(2, size=(50, 1)).repeat(2, axis=1)
    found = measured(answers(("mixed_same", "mixed_rand"), right, [0, 1] * 25, ("ant", "bee")))["bg_gap", ""]
    assert (found.low, found.value, found.high, found.error) == (0, 0, 0, 0)
