from __future__ import annotations

import datasets
import pytest

from fornet_hf import evaluation
from fornet_hf.cli import main
from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.evaluating import evaluate
from fornet_hf.evaluation.results import Results
from fornet_hf.features import row_features
from tests.evaluation.fakes import brightness, convolutions
from tests.factory import columns, make_row

torch = pytest.importorskip("torch")

CONFIG = EvaluationConfig(workers=1, resamples=20)


@pytest.fixture(scope="module")
def rows():
    made = [columns(make_row(index)) for index in range(6)]
    return datasets.Dataset.from_list(made, features=row_features(["cat", "cup", "man"]))


WRITTEN = {"results.csv", "results.json", "predictions.parquet", "report.html", "model_index"}


def test_models_are_compared_and_earlier_ones_stay(rows, tmp_path):
    measures = ["accuracy", "background"]
    evaluate([brightness(), convolutions()], rows, measures, config=CONFIG, output=tmp_path)
    before = (tmp_path / "results.json").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    evaluate(convolutions(), rows, measures, config=CONFIG, output=tmp_path)
    models = {result.origin.model for result in Results.read(tmp_path)}
    assert models == {"brightness", "convolutions"}
    assert len(Results.read(tmp_path).results) == before.count(b'"measure":')


def test_an_error_leaves_results_untouched(rows, tmp_path):
    evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError, match="in9: the variants of ImageNet-9 are needed"):
        evaluate(brightness(), rows, ["accuracy", "in9"], config=CONFIG, output=tmp_path)
    with pytest.raises(ConfigurationError, match="unknown measure; found bias"):
        evaluate(brightness(), rows, ["bias"], config=CONFIG, output=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_command_prints_a_table(rows, tmp_path, capsys, monkeypatch):
    rows.save_to_disk(str(tmp_path / "rows"))
    (tmp_path / "own_brightness.py").write_text(
        "from tests.evaluation.fakes import brightness\ndef made():\n    return brightness()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["own_brightness:made", "--data", str(tmp_path / "rows"), "--measures", "accuracy", "--workers", "1"]
    assert main(["evaluate", *words, "-o", str(tmp_path / "out")]) == 0
    output = capsys.readouterr().out
    assert output.splitlines()[0].split() == ["model", "measure", "value", "95", "%", "n"]
    assert "accuracy original" in output
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("function", "measure"),
    [
        ("accuracy", "accuracy"),
        ("background_robustness", "background_robustness"),
        ("centre_bias", "centre_bias"),
        ("size_bias", "size_bias"),
        ("relative_foreground_sensitivity", "relative_foreground_sensitivity"),
    ],
)
def test_each_measure_is_a_function_of_a_model_and_data(rows, function, measure):
    found = getattr(evaluation, function)(brightness(), rows, config=CONFIG)
    assert measure in {result.value.measure for result in found}
