"""A critic that sees the mask finds what the closed form does not look for."""

from __future__ import annotations

import pytest

from fornet_hf.evaluation.leakage.squares import Squares
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from tests.evaluation.leakage.made import auc, made
from tests.one_thread import one_thread

pytest.importorskip("torch")

from fornet_hf.evaluation.leakage.learned import information, traces

__all__ = ["one_thread"]
COUNT = 150


@pytest.mark.parametrize("kind", ["shadow", "silhouette"])
def test_traces_of_the_outline_rank_above_clean_backgrounds(kind):
    squares = Squares.joined([made("clean", COUNT, 0), made(kind, COUNT, 1)])
    scores = traces(squares, Bootstrap(0, 20)).scores
    assert auc(scores[COUNT:], scores[:COUNT]) > 0.62


def test_a_bound_of_few_clean_rows_says_next_to_nothing():
    squares = made("clean", 24, 0)
    found = information(squares, 0 * squares.sources.astype("float32"), "mine", Bootstrap(0, 20)).value
    assert abs(found.value) < 0.05
