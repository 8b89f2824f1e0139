from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace

import datasets
import numpy as np
import pytest
from PIL import Image

from fornet_hf import evaluation
from fornet_hf.cli import main
from fornet_hf.errors import ConfigurationError, PatchFormatError
from fornet_hf.evaluation import evaluating
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.evaluating import evaluate
from fornet_hf.evaluation.functions import Options
from fornet_hf.evaluation.measures.centre import Centre
from fornet_hf.evaluation.measures.size import Size
from fornet_hf.evaluation.report.folder import comparisons
from fornet_hf.evaluation.results.results import Results
from fornet_hf.features import row_features
from tests.evaluation.fakes import SMALL, brightness, convolutions
from tests.factory import columns, make_row

torch = pytest.importorskip("torch")

CONFIG = EvaluationConfig(workers=1, resamples=20)


@pytest.fixture(scope="module")
def rows():
    made = [columns(make_row(index)) for index in range(6)]
    return datasets.Dataset.from_list(made, features=row_features(["cat", "cup", "man"]))


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_models_are_compared_and_earlier_ones_stay(rows, tmp_path):
    measures = ["accuracy", "background"]
    evaluate([brightness(), convolutions()], rows, measures, config=CONFIG, output=tmp_path)
    before = files(tmp_path)
    assert set(before) == {
        *("results.csv", "results.json", "predictions.parquet", "report.html"),
        *("model_index/brightness.md", "model_index/convolutions.md"),
    }
    evaluate(convolutions(), rows, measures, config=CONFIG, output=tmp_path)
    models = {result.origin.model for result in Results.read(tmp_path)}
    assert models == {"brightness", "convolutions"}
    assert len(Results.read(tmp_path).results) == before["results.json"].count(b'"measure":')


def test_variants_of_one_class_are_refused(tmp_path):
    for variant in ("original", "only_bg_t"):
        folder = tmp_path / variant / "val" / "00_dog"
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "a.png")
        (tmp_path / variant / "val" / "01_cat").mkdir()
    mask = tmp_path / "fg_mask" / "val" / "00_dog" / "a.npy"
    mask.parent.mkdir(parents=True)
    np.save(mask, np.ones((8, 8), np.bool_))
    for measure in ("in9", "challenge"):
        with pytest.raises(ConfigurationError, match=f"{measure}: a classifier has nothing to choose from"):
            evaluate(brightness(), tmp_path, [measure], config=CONFIG)


def test_results_are_those_of_this_evaluation_alone(rows, tmp_path):
    for seed in (0, 1):
        config = replace(CONFIG, seed=seed)
        found = evaluate(brightness(), rows, ["background"], config=config, output=tmp_path)
        assert {result.origin.seed for result in found} == {seed}
        assert found.value("background_robustness").n
    assert {result.origin.seed for result in Results.read(tmp_path)} == {0, 1}


def test_damaged_results_are_told_before_anything_is_shown(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluating, "predict_all", lambda *_: pytest.fail("images were shown"))
    (tmp_path / "results.json").write_text('{"format": 1, "results": [')
    with pytest.raises(PatchFormatError, match=r"damaged results; .* Delete the file, or name another folder"):
        evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path)


def test_an_error_leaves_results_untouched(rows, tmp_path):
    evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path)
    before = files(tmp_path)
    with pytest.raises(ConfigurationError, match="in9: the variants of ImageNet-9 are needed"):
        evaluate(brightness(), rows, ["accuracy", "in9"], config=CONFIG, output=tmp_path)
    with pytest.raises(ConfigurationError, match="unknown measure; found bias"):
        evaluate(brightness(), rows, ["bias"], config=CONFIG, output=tmp_path)
    assert files(tmp_path) == before


def test_settings_that_change_numbers_replace_nothing(rows, tmp_path):
    for cells in ("seen", "canvas"):
        evaluate(brightness(), rows, ["centre"], config=replace(CONFIG, cells=cells), output=tmp_path)
    evaluate(brightness(), rows, ["size"], config=CONFIG, output=tmp_path, command="again")
    results = Results.read(tmp_path)
    biases = [result for result in results if (result.value.measure, result.value.part) == ("centre_bias", "")]
    assert [result.origin.cells for result in biases] == ["seen", "canvas"]
    settings = {origin.cells: of for origin, of in results.settings.items()}
    assert settings["seen"]["measures"] == ["centre", "size"]
    assert settings["seen"]["commands"] == ["again"]
    assert settings["canvas"]["measures"] == ["centre"]
    newest, other = comparisons(results)
    assert (newest.settings["cells"], other.settings["cells"]) == ("seen", "canvas")


def test_one_name_cannot_mean_two_conditions(rows):
    both = [Centre(CONFIG), Size(CONFIG), replace(Centre(replace(CONFIG, cells="canvas")), name="public")]
    with pytest.raises(ConfigurationError, match="two measures show 'cell 0' in different manners"):
        evaluate(brightness(), rows, both, config=CONFIG)


def test_examples_of_saliency_are_kept_for_other_reports(rows, tmp_path):
    for _ in range(2):
        evaluate(convolutions(), rows, ["focus"], config=CONFIG, output=tmp_path / "one")
    assert not [path for path in (tmp_path / "one").rglob("*") if path.name in (".parts", "focus")]
    kept = json.loads((tmp_path / "one" / "examples" / "examples.json").read_text())
    assert {(row["model"], row["kind"], row["method"]) for row in kept} == {
        ("convolutions", "saliency", method) for method in ("gradcam", "gradcam++", "integrated_gradients")
    }
    images = {path.name for path in (tmp_path / "one" / "examples").glob("*.jpg")}
    assert images == {row[name] for row in kept for name in ("image", "overlay")}
    evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path / "one")
    assert main(["report", str(tmp_path / "one"), "-o", str(tmp_path / "two")]) == 0
    page = (tmp_path / "two" / "report.html").read_text()
    assert page == (tmp_path / "one" / "report.html").read_text()
    assert page.count("data:image/jpeg") >= len(kept)


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


def test_functions_take_networks_and_settings_as_keywords(rows):
    network = brightness().network
    settings = {"seed": 3, "draws": 2, "workers": 1, "resamples": 20}
    found = evaluation.accuracy({"mine": network}, rows, preprocessing=SMALL, **settings)
    assert {(one.origin.model, one.origin.seed, one.origin.draws) for one in found} == {("mine", 3, 2)}
    same = evaluation.accuracy(replace(brightness(), name="mine"), rows, config=EvaluationConfig(**settings))
    assert found.results == same.results
    with pytest.raises(ConfigurationError, match="unknown keyword; found drawss"):
        evaluation.accuracy(network, rows, preprocessing=SMALL, drawss=2)


def test_keywords_of_the_functions_are_those_of_evaluate():
    parameters = inspect.signature(evaluate).parameters.values()
    keywords = {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert {*Options.__annotations__} - {field.name for field in fields(EvaluationConfig)} == keywords


def test_nothing_of_a_finished_run_is_taken_for_an_answer_later(rows, tmp_path):
    evaluate(convolutions(), rows, ["accuracy", "focus"], config=CONFIG, output=tmp_path)
    assert [*tmp_path.rglob(".parts")] == []
