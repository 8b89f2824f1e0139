"""A critic that sees the mask finds what the closed form does not look for."""

from __future__ import annotations

import pytest

from fornet_hf.evaluation.leakage import values
from fornet_hf.evaluation.leakage.betrayal import Control
from fornet_hf.evaluation.leakage.measuring import Leakage
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


def test_learned_estimators_are_told_of_infill_and_ring_and_traces_alone(monkeypatch):
    monkeypatch.setattr(values, "LEAST_LEARNED", 40)
    sample = made("clean", 48, 0)
    control = Control.of(sample)
    parts = control.parts(sample)
    leakage = Leakage(
        keys=sample.keys,
        labels=sample.labels,
        parts=parts,
        scores=control.scores(parts),
        left_out={},
        control=control,
        sample=sample,
        worst=sample,
    )
    found = values.values(leakage, ["thing"], Bootstrap(0, 20), ["mine", "traces"])
    learned = [(one.measure, one.part) for one in found if one.measure != "leakage"]
    assert learned == [("mine", "infill"), ("mine", "ring"), ("mine", "infill beyond ring"), ("traces", "")]
    assert all(one.note == "of a sample of 48 images" for one in found[-1:])
