"""The score ranks backgrounds that betray their object above clean ones, and is 0 where there is nothing to know."""

from __future__ import annotations

import dataclasses
import functools
import pickle

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.leakage.betrayal import Control
from fornet_hf.evaluation.leakage.fields import shrunk
from fornet_hf.evaluation.leakage.squares import Squares
from tests.evaluation.leakage.made import auc, made

COUNT = 200


@functools.cache
def scored(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Parts and scores of clean rows, and then of the others."""
    squares = Squares.joined([made("clean", COUNT, 0), made(kind, COUNT, 1)])
    control = Control.of(squares)
    parts = control.parts(squares)
    return parts, control.scores(parts)


@pytest.mark.parametrize("kind", ["cast", "rim"])
def test_what_betrays_the_object_ranks_above_what_is_clean(kind):
    parts, scores = scored(kind)
    assert auc(scores[COUNT:], scores[:COUNT]) >= 0.95
    own = parts[:, ["cast", "rim"].index(kind)]
    assert auc(own[COUNT:], own[:COUNT]) >= 0.95


def test_light_that_fits_the_object_is_no_betrayal():
    _, scores = scored("lit")
    assert 0.43 < auc(scores[COUNT:], scores[:COUNT]) < 0.57


@pytest.mark.parametrize("kind", ["clean", "lit", "unrelated"])
def test_independent_content_under_varying_masks_has_the_mean_0(kind):
    squares = made(kind, 2 * COUNT, 2)
    parts = Control.of(squares).parts(squares)
    errors = parts.std(axis=0) / len(parts) ** 0.5
    assert (np.abs(parts.mean(axis=0)) < 2.5 * errors).all()


def test_each_row_is_scored_alike_whatever_is_scored_with_it():
    squares = made("cast", 100, 3)
    control = pickle.loads(pickle.dumps(Control.of(squares.at(range(40)))))
    alone = control.parts(squares.at([70]))
    assert np.allclose(control.parts(squares)[70], alone[0])


def test_no_rows_have_no_scores():
    squares = made("clean", 20, 0)
    assert Control.of(squares).parts(squares.at([])).shape == (0, 2)


def test_a_sample_that_is_too_small_is_refused():
    with pytest.raises(ConfigurationError, match="8 or more"):
        Control.of(made("clean", 7, 0))


def test_ground_that_shows_through_a_blended_edge_is_no_betrayal():
    clean = made("clean", 2 * COUNT, 4)
    near = shrunk(clean.masks, 2) ^ clean.masks
    blended = ((clean.sources.astype(float) + clean.backgrounds) / 2).astype(np.uint8)
    sources = np.where(near[..., None], blended, clean.sources)
    squares = dataclasses.replace(clean, sources=sources)
    assert np.allclose(Control.of(squares).parts(squares), Control.of(clean).parts(clean))
