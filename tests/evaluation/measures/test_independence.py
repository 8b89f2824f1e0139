"""Independence of objects and backgrounds, as a measure of the data."""

from __future__ import annotations

from types import SimpleNamespace

import datasets
import pytest

from fornet_hf.evaluation.choosing import KINDS, chosen
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import RowsData
from fornet_hf.evaluation.measures.independence import NOTE, Independence
from fornet_hf.features import row_features
from tests.factory import columns, make_row

CONFIG = EvaluationConfig(resamples=20, workers=1)


@pytest.fixture(scope="module")
def data():
    rows = [columns(make_row(index)) for index in range(10)]
    return RowsData.of(datasets.Dataset.from_list(rows, features=row_features(["a", "b", "c"])), "train", "rows")


def test_numbers_are_those_of_the_data(data):
    found = {(one.measure, one.part): one for one in Independence().run(None, None, data, CONFIG, None)}
    assert found["leakage", ""].n == 10
    assert {part for measure, part in found if measure == "leakage"} == {
        *("", "area", "rim", "class a", "class b", "class c"),
    }
    assert found["laplace", "infill beyond ring"].note.endswith(NOTE)


def test_a_part_of_the_rows_may_count(data):
    assert Independence(most=8).run(None, None, data, CONFIG, None)[0].n == 8


def test_images_without_parts_are_not_enough():
    assert "Name rows or patches" in Independence().lacks(SimpleNamespace(name="images"))


def test_it_is_measured_only_where_it_is_named(data):
    assert "independence" not in [kind.name for kind in chosen(None, data, CONFIG)]
    assert [kind.name for kind in chosen("independence", data, CONFIG)] == ["independence"]
    assert "independence" in KINDS
