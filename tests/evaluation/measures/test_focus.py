"""Foreground focus: closed forms, and what is left out."""

from dataclasses import replace
from types import SimpleNamespace

import datasets
import numpy as np
import pytest

from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import RowsData
from fornet_hf.evaluation.measures.focus import ForegroundFocus, foreground_focus, values
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.saliency.shares import Shares
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.stimuli.rows import Rows
from fornet_hf.features import row_features
from tests.evaluation.fakes import all_outputs
from tests.factory import columns, make_row

BOOTSTRAP = Bootstrap(0, 50)
SOURCES = [f"source {number}" for number in range(4)]


def test_focus_is_the_share_of_importance_by_the_share_of_area():
    shares = Shares(np.array([0.5, 0.1, 0.2, np.nan]), np.array([[1.0], [0.1], [np.nan], [np.nan]]), {3: "no mask"})
    mean, pooled = values(shares, ["gradcam"], SOURCES, BOOTSTRAP)
    assert (mean.measure, mean.part, pooled.part) == ("foreground_focus", "gradcam", "gradcam pooled")
    assert mean.value == pytest.approx((2 + 1) / 2)
    assert pooled.value == pytest.approx((1 + 0.1) / (0.5 + 0.1))
    assert mean.n == pooled.n == 2
    assert mean.left_out == pooled.left_out == {"no mask": 1, "no importance anywhere": 1}


def test_even_importance_has_focus_1_and_all_on_the_foreground_its_share_s_inverse():
    area = np.array([0.5, 0.25, 0.1, 0.02])
    even, inside = area[:, None], np.ones((4, 1))
    found = [values(Shares(area, one), ["gradcam"], SOURCES, BOOTSTRAP) for one in (even, inside)]
    assert [value.value for value in found[0]] == pytest.approx([1, 1])
    assert [value.value for value in found[1]] == pytest.approx([(1 / area).mean(), 1 / area.mean()])


def test_methods_leave_out_what_each_cannot_see():
    shares = Shares(np.full(4, 0.5), np.array([[1.0, np.nan]] * 3 + [[np.nan, np.nan]]))
    found = values(shares, ["gradcam", "gradcam++"], SOURCES, BOOTSTRAP)
    assert [value.part for value in found] == ["gradcam", "gradcam pooled", "gradcam++", "gradcam++ pooled"]
    assert [value.n for value in found] == [3, 3, 0, 0]
    assert found[2].value is None
    assert found[2].left_out == {"no importance anywhere": 4}


def test_a_network_that_sees_nothing_else_has_the_inverse_share_of_the_foreground():
    pytest.importorskip("torch")
    from tests.evaluation.saliency.masked import Squares, pixels

    stimuli = Squares()
    config = EvaluationConfig(workers=1, device="cpu", resamples=10)
    found = foreground_focus(pixels(), all_outputs(), stimuli, config, SaliencyConfig(steps=1))
    areas = np.array([stimuli.area(item) for item in range(stimuli.count) if item % 5 != 3])
    assert [value.value for value in found] == pytest.approx([(1 / areas).mean(), 1 / areas.mean()] * 3, rel=1e-5)
    assert {value.note for value in found} == {"importance for the label"}
    assert found[0].left_out == {"no foreground": 4}


class OfRows(RowsData):
    """Rows that can be shown."""

    def stimuli(self, conditions, config):
        return Rows(self.rows, conditions, seed=config.seed, draws=config.draws)


def test_the_experiment_shows_each_row_once(tmp_path):
    pytest.importorskip("torch")
    from tests.evaluation.fakes import convolutions

    rows = datasets.Dataset.from_list(
        [columns(make_row(index)) for index in range(4)], features=row_features(["a", "b", "c"])
    )
    data = OfRows(name="rows", split="validation", rows=rows, class_names=["a", "b", "c"], fingerprint="")
    experiment = ForegroundFocus(saliency=SaliencyConfig(methods=["gradcam", "integrated_gradients"], steps=2))
    config = EvaluationConfig(workers=1, device="cpu", resamples=10, draws=3)
    found = experiment.run(convolutions(), all_outputs(), data, config, tmp_path)
    assert [value.part for value in found][::2] == ["gradcam", "integrated_gradients"]
    assert all(value.n + value.left_out.get("no importance anywhere", 0) == 4 for value in found)
    assert found == experiment.run(convolutions(), all_outputs(), data, replace(config, seed=0), tmp_path)


def test_data_without_masks_lack_them():
    assert "masks of the objects are needed; found folder" in ForegroundFocus().lacks(SimpleNamespace(name="folder"))
    data = RowsData(name="rows", split="", rows=None, class_names=[], fingerprint="")
    assert ForegroundFocus().lacks(data) == ""
