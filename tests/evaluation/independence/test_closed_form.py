"""The closed form: against values computed by hand, and 0 where nothing is shared but the mask."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.independence.closed_form import scores
from fornet_hf.evaluation.independence.partners import drawn_partners
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.recombination.draw.rng import generator

SHOWN = np.array([[1.0, 2, 9], [4, 0, 9]])
HIDDEN = np.array([[1.0, 4, 5], [2, 2, 5]])
MASKS = np.array([[True, True, False], [True, True, False]])
SWAPPED = np.array([[1], [0]])


def made(rows=2000, side=8):
    """Return independent layers, and masks whose sizes vary much."""
    draws = np.random.default_rng(0)
    layers = draws.uniform(0, 2, (2, rows, 1, 1)) + draws.normal(0, 0.3, (2, rows, side, side))
    masks = draws.random((rows, side, side)) < draws.uniform(0.1, 0.9, (rows, 1, 1))
    return *layers, masks, drawn_partners([0] * rows, 4, generator("partners", 0))


def interval(values):
    return Bootstrap().estimate("score", values[:, None], [str(row) for row in range(len(values))])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("laplace", [(1 + 0) / 2 - (0 + 2) / 2, (3 + 4) / 2 - (2 + 2) / 2]),
        ("gaussian", [0.5 * ((1 + 0) / 2 - (0 + 4) / 2), 0.5 * ((9 + 16) / 2 - (4 + 4) / 2)]),
    ],
)
def test_scores_are_those_computed_by_hand(kind, expected):
    assert scores(SHOWN, HIDDEN, MASKS, SWAPPED, kind=kind).tolist() == expected


def test_numbers_outside_of_the_mask_do_not_count():
    other = SHOWN + np.array([0, 0, 100])
    assert np.array_equal(scores(other, HIDDEN, MASKS, SWAPPED), scores(SHOWN, HIDDEN, MASKS, SWAPPED))


def test_channels_share_the_mask_and_bytes_do_not_wrap():
    shown, hidden = (np.repeat(one[..., None], 3, axis=-1).astype(np.uint8) for one in (SHOWN, HIDDEN))
    assert np.array_equal(scores(shown, hidden, MASKS, SWAPPED), scores(SHOWN, HIDDEN, MASKS, SWAPPED))


def test_the_score_is_the_mean_over_partners():
    draws = np.random.default_rng(0)
    shown, hidden, masks = *draws.normal(size=(2, 5, 9)), draws.random((5, 9)) < 0.7
    partners = drawn_partners([0] * 5, 3, generator("partners", 0))
    single = [scores(shown, hidden, masks, partners[:, [number]]) for number in range(3)]
    assert np.allclose(scores(shown, hidden, masks, partners), np.mean(single, axis=0))


def test_identical_layers_score_above_0():
    shown, _, masks, partners = made()
    assert interval(scores(shown, shown, masks, partners)).low > 0.5
    assert interval(scores(shown, shown, masks, partners, kind="gaussian")).low > 0.3


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
def test_independent_content_under_varying_masks_scores_0_within_its_interval(kind):
    shown, hidden, masks, partners = made()
    value = interval(scores(shown, hidden, masks, partners, kind=kind))
    assert value.low < 0 < value.high
    assert value.error < 0.01


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
def test_layers_that_were_cut_out_before_are_told_apart_by_their_masks(kind):
    shown, hidden, masks, partners = made()
    cut = scores(shown * masks, hidden * masks, np.ones_like(masks), partners, kind=kind)
    assert interval(cut).low > 0.05


def test_an_empty_mask_has_no_score():
    masks = MASKS.copy()
    masks[1] = False
    found = scores(SHOWN, HIDDEN, masks, SWAPPED)
    assert np.isnan(found).tolist() == [False, True]


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "cauchy"}, {"hidden": HIDDEN[:1]}, {"masks": MASKS.astype(float)}, {"partners": SWAPPED[:1]}],
)
def test_what_does_not_fit_is_refused(wrong):
    fitting = {"shown": SHOWN, "hidden": HIDDEN, "masks": MASKS, "partners": SWAPPED}
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        scores(**fitting | wrong)
