"""From masks of several prompts to versions."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError
from producers.scene import Cut
from producers.segment.versions import Merging, overlap, versions


def square(x0, x1):
    mask = np.zeros((10, 100), bool)
    mask[:, x0:x1] = True
    return mask


def found(*answers, merging=None):
    return versions([Cut(mask, prompt, score) for prompt, score, mask in answers], merging)


def test_masks_of_one_prompt_are_united():
    (one,) = found(("cat", 0.4, square(0, 10)), ("cat", 0.6, square(50, 60)))
    assert np.array_equal(one.mask, square(0, 10) | square(50, 60))
    assert (one.prompt, one.score) == ("cat", 0.6)


def test_the_most_confident_version_is_the_first():
    answers = ("cat", 0.4, square(0, 10)), ("mammal", 0.5, square(20, 30)), ("animal", 0.6, square(50, 60))
    assert [(one.prompt, one.score) for one in found(*answers)] == [("animal", 0.6), ("mammal", 0.5), ("cat", 0.4)]


def test_the_confidence_of_a_prompt_is_that_of_its_best_detection():
    answers = ("cat", 0.5, square(0, 10)), ("animal", 0.4, square(50, 60)), ("animal", 0.6, square(70, 80))
    assert [one.prompt for one in found(*answers)] == ["animal", "cat"]


def test_equally_confident_prompts_keep_their_order():
    assert [one.prompt for one in found(("cat", 0.5, square(0, 9)), ("animal", 0.5, square(20, 30)))] == [
        "cat",
        "animal",
    ]


def test_prompts_that_agree_are_one_version_named_after_the_most_confident():
    (one,) = found(("cat", 0.4, square(0, 95)), ("animal", 0.6, square(0, 100)))
    assert (one.prompt, one.score, one.mask.all()) == ("animal", 0.6, True)


def test_an_overlap_of_nine_tenths_is_not_enough():
    assert len(found(("cat", 0.6, square(0, 90)), ("animal", 0.4, square(0, 100)))) == 2


def test_what_has_been_united_is_compared_again():
    answers = ("cat", 0.6, square(0, 90)), ("mammal", 0.5, square(5, 100)), ("animal", 0.4, square(0, 97))
    assert overlap(answers[0][2], answers[1][2]) < 0.9
    (one,) = found(*answers)
    assert np.array_equal(one.mask, square(0, 100))


INTERVALS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(80, 100), st.sampled_from([0.3, 0.4, 0.5])), max_size=5
)


@given(INTERVALS)
def test_no_two_versions_are_the_same_object_and_nothing_is_lost(intervals):
    answers = [(f"prompt {i}", score, square(x0, x1)) for i, (x0, x1, score) in enumerate(intervals)]
    distinct = found(*answers)
    assert all(overlap(one.mask, other.mask) <= 0.9 for one, other in combinations(distinct, 2))
    assert [one.score for one in distinct] == sorted((one.score for one in distinct), reverse=True)
    everything = np.zeros((10, 100), bool)
    for _, _, mask in answers:
        everything |= mask
    assert np.array_equal(sum((one.mask for one in distinct), np.zeros_like(everything)), everything)


@pytest.mark.parametrize(("threshold", "count"), [(0.94, 1), (0.96, 2), (1, 2)])
def test_the_overlap_that_is_enough_can_be_chosen(threshold, count):
    answers = ("cat", 0.4, square(0, 95)), ("animal", 0.6, square(0, 100))
    assert len(found(*answers, merging=Merging(threshold=threshold))) == count


def test_the_best_version_unites_the_two_prompts_that_agree_most():
    answers = ("cat", 0.6, square(0, 20)), ("mammal", 0.5, square(30, 60)), ("animal", 0.4, square(40, 70))
    (one,) = found(*answers, merging=Merging(keep="best"))
    assert (one.prompt, one.score) == ("mammal", 0.5)
    assert np.array_equal(one.mask, square(30, 70))


def test_the_best_of_versions_that_have_nothing_in_common_is_the_most_confident():
    answers = ("cat", 0.4, square(0, 20)), ("animal", 0.5, square(30, 60))
    assert [one.prompt for one in found(*answers, merging=Merging(keep="best"))] == ["animal"]
    assert found(merging=Merging(keep="best")) == []


@pytest.mark.parametrize("options", [{"threshold": 1.1}, {"threshold": float("nan")}, {"keep": "first"}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(ConfigurationError, match="allowed: "):
        Merging(**options)


def test_empty_masks_are_not_found():
    assert found(("cat", 0.4, square(0, 0))) == []


def test_soft_maps_of_what_is_united_are_the_brighter_of_both():
    maps = np.array([[[10, 200]], [[90, 40]]], np.uint8)
    (one,) = versions([Cut(square(0, 9), "cat", 0.5, maps[0]), Cut(square(5, 9), "cat", 0.4, maps[1])])
    assert one.soft.tolist() == [[90, 200]]
    (one,) = versions([Cut(square(0, 9), "cat", 0.5), Cut(square(5, 9), "cat", 0.4, maps[1])])
    assert one.soft.tolist() == [[90, 40]]
