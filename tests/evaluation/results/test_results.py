from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError, PatchFormatError
from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.results.origin import Origin
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.results.rows import COLUMNS, Result
from fornet_hf.evaluation.statistics.values import Value

ORIGIN = Origin(
    model="m",
    weights="ab",
    data="d",
    split="validation",
    release="r",
    seed=0,
    precision="float32",
    settings="s",
    version="1",
)


def results(origin=ORIGIN, *, value=0.5, parts=("", "cell 4")):
    values = (Value(measure="centre_bias", part=part, value=value, n=7, left_out={"no room": 2}) for part in parts)
    return Results(
        results=[Result(origin, one) for one in values],
        settings={origin.settings: {"measure": "centre", "cells": origin.settings}},
        runs={origin: {"resamples": 10, "command": f"fornet {origin.version}"}},
    )


def answers():
    return Predictions(
        conditions=["original", "all"],
        keys=["a#1", "b#1"],
        sources=["a", "b"],
        labels=np.array([1, 0]),
        class_names=["cat", "dog"],
        predicted=np.array([[1, 0], [NO_LABEL, NOT_SHOWN]], np.int32),
        probability=np.array([[0.75, 0.25], [0.5, np.nan]], np.float32),
        backgrounds=np.array([[-1, 0], [-1, -1]], np.int32),
        background_keys=np.array([["", "b"], ["", ""]]),
        reasons={(1, 1): "no room"},
    )


def test_what_is_written_is_read(tmp_path):
    written = results().write(tmp_path)
    assert Results.read(tmp_path) == written


def test_the_table_is_long_and_has_a_row_for_each_number(tmp_path):
    results().write(tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["measure"], row["part"], row["value"], row["n"]) for row in rows] == [
        ("centre_bias", "", "0.5", "7"),
        ("centre_bias", "cell 4", "0.5", "7"),
    ]
    assert json.loads(rows[0]["left_out"]) == {"no room": 2}
    assert rows[0]["low"] == ""


def test_writing_again_replaces_whole_measures_and_keeps_others(tmp_path):
    results().write(tmp_path)
    first = (tmp_path / "results.csv").read_bytes()
    results().write(tmp_path)
    assert (tmp_path / "results.csv").read_bytes() == first
    results(replace(ORIGIN, version="2"), value=0.75, parts=[""]).write(tmp_path)
    found = Results.read(tmp_path)
    assert [(one.value.part, one.value.value) for one in found] == [("", 0.75)]
    assert [run["command"] for run in found.runs.values()] == ["fornet 2"]
    for changed in (
        {"model": "n"},
        {"weights": "cd"},
        {"release": "s"},
        {"seed": 1},
        {"settings": "t"},
        {"precision": "bfloat16"},
    ):
        results(replace(ORIGIN, **changed)).write(tmp_path)
    assert len(Results.read(tmp_path).results) == 1 + 6 * 2
    assert set(Results.read(tmp_path).settings) == {"s", "t"}


def test_a_measure_that_comes_to_nothing_leaves_nothing_of_earlier_ones(tmp_path):
    results().write(tmp_path)
    results(parts=()).write(tmp_path)
    assert list(Results.read(tmp_path)) == []


def test_answers_are_for_people(tmp_path):
    written = Results(results=results().results, predictions=[(ORIGIN, answers())])
    for _ in range(2):
        written.write(tmp_path)
    rows = pq.read_table(tmp_path / "predictions.parquet").to_pylist()
    assert len(rows) == 4
    first, second, third, fourth = rows
    assert {**first, "model": "m", "condition": "original", "key": "a#1", "source": "a", "label": "dog"} == first
    assert (first["predicted"], first["probability"], first["background"]) == ("dog", 0.75, None)
    assert (second["predicted"], second["background"], second["background_key"]) == ("cat", "cat", "b")
    assert (third["label"], third["predicted"], third["probability"]) == ("cat", None, 0.5)
    assert (fourth["predicted"], fourth["probability"], fourth["reason"]) == (None, None, "no room")


def test_answers_of_another_version_are_made_again(tmp_path):
    pq.write_table(pa.table({"model": ["m"], "cells": ["seen"]}), tmp_path / "predictions.parquet")
    Results(results=results().results, predictions=[(ORIGIN, answers())]).write(tmp_path)
    assert pq.read_table(tmp_path / "predictions.parquet").num_rows == 4


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: data[:4] + bytes(200) + data[204:]])
def test_answers_that_are_damaged_are_made_again(tmp_path, damage):
    written = Results(results=results().results, predictions=[(ORIGIN, answers())])
    written.write(tmp_path)
    path = tmp_path / "predictions.parquet"
    path.write_bytes(damage(path.read_bytes()))
    written.write(tmp_path)
    assert pq.read_table(path).num_rows == 4


def test_answers_of_other_models_stay(tmp_path):
    for model in ("m", "n", "n"):
        origin = replace(ORIGIN, model=model)
        Results(results=results(origin).results, predictions=[(origin, answers())]).write(tmp_path)
    models = pq.read_table(tmp_path / "predictions.parquet")["model"].to_pylist()
    assert models == ["m"] * 4 + ["n"] * 4


def test_a_number_is_found_by_name():
    assert results().value("centre_bias", "cell 4").n == 7
    with pytest.raises(NotFoundError, match=r"found size_bias; allowed: \['centre_bias'\]"):
        results().value("size_bias")
    with pytest.raises(NotFoundError, match=r"centre_bias has no such part; found 'cell 9'; allowed: \[.*'cell 4'"):
        results().value("centre_bias", "cell 9")


def test_a_number_that_is_there_twice_is_chosen_by_what_tells_the_two_apart():
    second = replace(ORIGIN, model="n", weights="cd", seed=1)
    both = results().joined(results(second, value=0.25))
    assert both.value("centre_bias", model="n").value == 0.25
    assert both.value("centre_bias", seed=0).value == 0.5
    with pytest.raises(ConfigurationError, match=r"2 times; found \{'model': \['m', 'n'\], 'seed': \[0, 1\]\}"):
        both.value("centre_bias")
    with pytest.raises(NotFoundError, match=r"not measured for \{'model': 'o'\}; allowed: .*'m', 'n'"):
        both.value("centre_bias", model="o")
    with pytest.raises(ConfigurationError, match="unknown keyword; found sede"):
        both.value("centre_bias", sede=0)


def test_a_number_is_chosen_by_its_settings():
    both = results().joined(results(replace(ORIGIN, settings="canvas"), value=0.25))
    assert both.value("centre_bias", cells="canvas").value == 0.25
    with pytest.raises(ConfigurationError, match=r"2 times; found \{'cells': \['s', 'canvas'\]\}"):
        both.value("centre_bias")


def test_rows_are_those_of_the_table():
    first, second = results().rows()
    assert list(first) == list(COLUMNS)
    assert (first["measure"], first["value"], first["low"], first["left_out"]) == (
        *("centre_bias", 0.5, None),
        {"no room": 2},
    )
    assert second["part"] == "cell 4"


def test_pandas_gets_the_table():
    pandas = pytest.importorskip("pandas")
    table = results().to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert list(table.columns) == list(COLUMNS)
    assert table["value"].tolist() == [0.5, 0.5]


def test_without_pandas_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        results().to_pandas()


def test_no_results_and_damaged_results_are_told(tmp_path):
    with pytest.raises(NotFoundError, match="no results in"):
        Results.read(tmp_path)
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(PatchFormatError, match="damaged results"):
        results().write(tmp_path)
    assert not (tmp_path / "results.csv").exists()
    (tmp_path / "results.json").write_text('{"format": 1, "results": [], "settings": []}')
    with pytest.raises(PatchFormatError, match=r"unknown format; found 1; allowed: 2\. Delete the file"):
        Results.read(tmp_path)
