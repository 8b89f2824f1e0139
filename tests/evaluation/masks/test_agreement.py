"""Figures of masks: by hand, by closed forms, and by a second implementation."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError
from fornet_hf.evaluation.masks.agreement import FIGURES, compare, per_image
from fornet_hf.evaluation.masks.names import Name
from fornet_hf.evaluation.masks.sets import MaskSet, Outline
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap


class Masks(MaskSet):
    """Masks in memory; names with a slash have a folder."""

    rule = "as given"

    def __init__(self, masks: dict, *, sequences: bool = False) -> None:
        self.names = [Name(*reversed(key.split("/"))) for key in masks]
        self.sequences = sequences
        self._outlines = [
            Outline(*(np.array(part, bool) for part in (mask if isinstance(mask, tuple) else (mask,))))
            for mask in masks.values()
        ]

    def read(self, number: int) -> Outline:
        return self._outlines[number]


def figures(found, **options) -> dict:
    return {(one.measure, one.part): one for one in found.values(Bootstrap(0, 20), **options)}


def test_equals_the_table_made_by_hand():
    predicted = Masks({"a": [[1, 1, 0, 0]], "b": [[0, 0, 0, 1]]})
    truth = Masks({"a": [[1, 0, 1, 0]], "b": [[0, 0, 0, 1]]})
    found = compare(predicted, truth)
    np.testing.assert_array_equal(found.counts, [[1, 1, 1, 1], [1, 0, 0, 3]])
    values = {key: one.value for key, one in figures(found).items()}
    assert values == pytest.approx(
        {
            ("iou", "pooled"): 2 / 4,
            ("iou", "per image"): (1 / 3 + 1) / 2,
            ("dice", "pooled"): 4 / 6,
            ("dice", "per image"): (2 / 4 + 1) / 2,
            ("pixel_accuracy", "pooled"): 6 / 8,
            ("pixel_accuracy", "per image"): (2 / 4 + 1) / 2,
            ("miou", "pooled"): (2 / 4 + 4 / 6) / 2,
            ("miou", "per image"): ((1 / 3 + 1 / 3) / 2 + 1) / 2,
        }
    )


pairs_of_masks = hnp.array_shapes(min_dims=2, max_dims=2, max_side=6).flatmap(
    lambda shape: st.lists(
        st.tuples(*[hnp.arrays(bool, shape)] * 3, st.just(shape)).filter(lambda one: one[2].any()),
        min_size=1,
        max_size=4,
    )
)


@given(pairs_of_masks.filter(lambda images: any((one[1] & one[2]).any() for one in images)))
def test_equals_a_second_implementation(images):
    """One that walks over sets of pixels; the third mask says which of them are counted."""
    predicted = Masks({str(n): one[0] for n, one in enumerate(images)})
    truth = Masks({str(n): (one[1], one[2]) for n, one in enumerate(images)})
    found = compare(predicted, truth, workers=1)

    def ratio(above, below):
        return above / below if below else 1.0

    each, whole = [], [set(), set(), set()]
    for number, (ours, theirs, counted, shape) in enumerate(images):
        a, b, c = ({(number, *at) for at in np.ndindex(shape) if mask[at]} for mask in (ours, theirs, counted))
        a, b = a & c, b & c
        whole = [pixels | more for pixels, more in zip(whole, (a, b, c), strict=True)]
        each.append([ratio(len(a & b), len(a | b)), ratio(2 * len(a & b), len(a) + len(b))])
        assert per_image("pixel_accuracy", found.counts)[number] == pytest.approx(1 - len(a ^ b) / len(c))
        assert per_image("miou", found.counts)[number] == pytest.approx(
            (each[-1][0] + ratio(len(c - a - b), len(c - (a & b)))) / 2
        )
    for figure, expected in zip(("iou", "dice"), np.transpose(each), strict=True):
        np.testing.assert_allclose(per_image(figure, found.counts), expected)
    a, b, c = whole
    if a | b:
        assert FIGURES["iou"](found.counts.sum(0)) == pytest.approx(len(a & b) / len(a | b))


EMPTY, FULL = [[0, 0]], [[1, 1]]


@pytest.mark.parametrize(("empty", "value", "n"), [("one", 0.5, 2), ("skip", 0.0, 1)])
def test_two_empty_masks_count_as_said(empty, value, n):
    found = compare(Masks({"a": EMPTY, "b": EMPTY}), Masks({"a": EMPTY, "b": FULL}))
    for figure in ("iou", "dice"):
        one = figures(found, empty=empty)[figure, "per image"]
        assert (one.value, one.n) == (value, n)
        assert one.left_out == ({} if empty == "one" else {"no object in either mask": 1})
    assert (found.empty_truths, found.empty_predictions) == (1, 2)


def test_a_truth_without_any_object_is_refused():
    for predicted in (EMPTY, FULL):
        with pytest.raises(
            ConfigurationError, match="no truth has an object; found 2 truths, whose object is as given"
        ):
            compare(Masks(dict.fromkeys("ab", predicted)), Masks(dict.fromkeys("ab", EMPTY)))
    void = [[1, 1]], [[0, 0]]
    with pytest.raises(ConfigurationError, match="no truth has an object"):
        compare(Masks({"a": FULL}), Masks({"a": void}))


def test_images_whose_figure_is_0_by_0_are_told_by_what_they_show():
    void, full = ([[1, 1]], [[0, 0]]), [[1, 1]]
    masks = {"object": [[1, 0]], "empty": EMPTY, "full": full, "void": void}
    found = compare(Masks({**masks, "void": EMPTY}), Masks(masks))
    skipped, counted = (figures(found, empty=empty) for empty in ("skip", "one"))
    empty, full, void = (
        {name: 1} for name in ("no object in either mask", "the object fills both masks", "no pixel is counted")
    )
    for name, left_out in (("iou", empty | void), ("pixel_accuracy", void), ("miou", empty | full | void)):
        assert skipped[name, "per image"].left_out == left_out
        assert skipped[name, "per image"].n == 4 - len(left_out)
        note = f"{len(left_out)} of 4 images are 0 / 0 and count as 1"
        assert note in counted[name, "per image"].note


def test_pixels_that_are_not_counted_change_nothing():
    truth = Masks({"a": ([[1, 0, 0]], [[1, 1, 0]])})
    for last in (0, 1):
        np.testing.assert_array_equal(compare(Masks({"a": [[1, 0, last]]}), truth).counts, [[1, 0, 0, 1]])


def test_a_smaller_prediction_is_scaled_to_the_nearest_pixel():
    truth = np.zeros((6, 8), bool)
    truth[2:4, 4:8] = True
    found = compare(Masks({"a": truth[::2, ::2]}), Masks({"a": truth}))
    np.testing.assert_array_equal(found.counts, [[8, 0, 0, 40]])
    assert found.scaled == 1


def test_the_square_in_the_centre_is_counted_alone():
    """Of 4 x 8 pixels, scaled to 2 x 4, the middle 2 x 2, whatever the size of the prediction."""
    truth, predicted = np.zeros((2, 4)), np.ones((2, 4))
    truth[0, 1:] = 1
    large = truth.repeat(2, 0).repeat(2, 1)
    for one in (predicted, predicted.repeat(3, 0).repeat(3, 1)):
        found = compare(Masks({"a": one}), Masks({"a": large}), crop=2)
        np.testing.assert_array_equal(found.counts, [[2, 2, 0, 0]])
        assert (found.crop, found.scaled) == (2, 1)
    outside = np.where(np.arange(8) < 2, 0, np.ones((4, 8)))
    found = compare(Masks({"a": large}), Masks({"a": (large, outside)}), crop=4)
    np.testing.assert_array_equal(found.counts, [[8, 0, 0, 8]])


@given(hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), st.integers(1, 50))
def test_a_crop_has_its_size_in_any_image(shape, crop):
    mask = np.ones(shape)
    assert compare(Masks({"a": mask}), Masks({"a": mask}), crop=crop).counts.tolist() == [[crop**2, 0, 0, 0]]


def test_a_prediction_of_another_shape_is_left_out():
    found = compare(Masks({"a": np.ones((4, 8)), "b": FULL}), Masks({"a": np.ones((8, 4)), "b": FULL}))
    assert (found.keys, found.other_shape, found.left_out) == (["b"], ["a"], {"another shape": 1})
    with pytest.raises(SourceError, match="no mask has the shape of its truth; found a"):
        compare(Masks({"a": np.ones((4, 8))}), Masks({"a": np.ones((8, 4))}))


def test_what_has_no_counterpart_is_listed():
    predicted, truth = Masks({"a": FULL, "c": FULL}), Masks({"a": FULL, "b": FULL})
    found = compare(predicted, truth)
    assert (found.keys, found.missing, found.extra) == (["a"], ["b"], ["c"])
    assert figures(found)["iou", "pooled"].left_out == {"no prediction": 1}
    found = compare(predicted, truth, missing="empty")
    assert (found.keys, found.missing) == (["a", "b"], [])
    assert figures(found)["iou", "per image"].value == 0.5
    with pytest.raises(NotFoundError, match="no mask has the name of a truth"):
        compare(predicted, Masks({"x": FULL}))


@pytest.mark.parametrize(
    ("predicted", "truth", "compared"),
    [
        (["x/1", "y/1"], ["x/1", "y/1"], ["x--1", "y--1"]),
        (["x--1"], ["x/1", "y/1"], ["x--1"]),  # as our producers call them
        (["1"], ["x/1"], ["1"]),
        (["n01/1", "n02/2"], ["x/1", "y/2"], ["1", "2"]),  # classes have other names
        (["x/1"], ["x/1", "y/1"], ["x--1"]),
    ],
)
def test_masks_go_together_by_stem_and_folder(predicted, truth, compared):
    found = compare(Masks(dict.fromkeys(predicted, FULL)), Masks(dict.fromkeys(truth, FULL)))
    assert found.keys == compared


def test_of_two_predictions_for_one_truth_the_one_with_its_folder_counts():
    found = compare(Masks({"x--1": FULL, "1": EMPTY}), Masks({"x/1": FULL}))
    assert (found.keys, found.extra) == (["1"], ["1"])
    np.testing.assert_array_equal(found.counts, [[2, 0, 0, 0]])


def test_frames_of_other_films_do_not_go_together():
    with pytest.raises(NotFoundError):
        compare(Masks({"cat/1": FULL}), Masks({"dog/1": FULL}, sequences=True))


def test_frames_of_a_film_are_resampled_together():
    masks = {"cat/1": FULL, "cat/2": EMPTY, "dog/1": FULL}
    found = compare(Masks(masks), Masks(masks, sequences=True))
    assert found.sources == ["cat", "cat", "dog"]
    assert figures(found)["iou", "pooled"].n == 2


def test_two_masks_of_one_name_are_refused():
    with pytest.raises(SourceError, match="two masks of one name"):
        compare(Masks({"x--1": FULL, "x/1": FULL, "y/1": FULL}), Masks({"x--1": FULL, "x/1": FULL, "y/1": FULL}))


@pytest.mark.parametrize("options", [{"missing": "zero"}, {"empty": "zero"}, {"crop": 0}])
def test_other_conventions_are_refused(options):
    masks, empty = Masks({"a": FULL}), {"empty": options.pop("empty", "one")}
    with pytest.raises(ConfigurationError, match="is not allowed"):
        compare(masks, masks, **options).values(**empty)
