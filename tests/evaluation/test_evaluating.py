from __future__ import annotations

import inspect
import json
from dataclasses import fields, replace
from typing import ClassVar

import datasets
import numpy as np
import pytest
from PIL import Image

from fornet_hf import evaluation
from fornet_hf.cli import main
from fornet_hf.errors import ConfigurationError, PatchFormatError, SourceError
from fornet_hf.evaluation import Classifier, Preprocessing, SaliencyConfig, measuring
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.evaluating import evaluate
from fornet_hf.evaluation.functions import Options
from fornet_hf.evaluation.measures.centre import Centre
from fornet_hf.evaluation.measures.focus import UNFIT, ForegroundFocus
from fornet_hf.evaluation.measures.size import Size
from fornet_hf.evaluation.report.folder import comparisons
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.features import row_features
from fornet_hf.locks import together
from tests.evaluation.fakes import SMALL, brightness, convolutions
from tests.factory import columns, make_row

torch = pytest.importorskip("torch")

CONFIG = EvaluationConfig(workers=1, resamples=20)


@pytest.fixture(scope="module")
def rows():
    made = [columns(make_row(index)) for index in range(6)]
    return datasets.Dataset.from_list(made, features=row_features(["cat", "cup", "man"]))


class Rounded(torch.nn.Module):
    """Has no feature maps, and its answers no gradients."""

    def forward(self, images):
        return images.mean((2, 3)).detach().round(decimals=3)


def undifferentiable():
    return Classifier(name="undifferentiable", revision="", network=Rounded(), preprocessing=SMALL)


def without_maps():
    network = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return Classifier(name="without maps", revision="", network=network, preprocessing=SMALL)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_models_are_compared_and_earlier_ones_stay(rows, tmp_path):
    measures = ["accuracy", "background"]
    evaluate([brightness(), convolutions()], rows, measures, config=CONFIG, output=tmp_path)
    before = files(tmp_path)
    assert set(before) == {
        *("results.csv", "results.json", "differences.csv", "predictions.parquet", "report.html"),
        *("model_index/brightness.md", "model_index/convolutions.md"),
    }
    assert b"original class" not in before["model_index/brightness.md"]
    assert b"original class" in before["results.csv"]
    evaluate(convolutions(), rows, measures, config=CONFIG, output=tmp_path)
    models = {result.origin.model for result in Results.read(tmp_path)}
    assert models == {"brightness", "convolutions"}
    assert len(Results.read(tmp_path).results) == before["results.csv"].count(b"\n") - 1


def test_variants_of_one_class_are_refused(tmp_path):
    for variant in ("original", "only_bg_t"):
        folder = tmp_path / variant / "val" / "00_dog"
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / "a.png")
        for name in ("01_cat", "02_man"):
            (tmp_path / variant / "val" / name).mkdir()
    mask = tmp_path / "fg_mask" / "val" / "00_dog" / "a.npy"
    mask.parent.mkdir(parents=True)
    np.save(mask, np.ones((8, 8), np.bool_))
    for measure in ("in9", "challenge"):
        with pytest.raises(ConfigurationError, match=f"{measure}: a classifier has nothing to choose from"):
            evaluate(brightness(), tmp_path, [measure], config=CONFIG)
    found = evaluate(brightness(), tmp_path, config=CONFIG)
    assert "images of one class alone" in next(one.value.note for one in found if one.value.measure == "bg_gap")


def test_models_of_one_call_have_paired_differences(rows, tmp_path):
    models = {"plain": brightness(), "same": brightness(), "other": convolutions()}
    measured = evaluate(models, rows, ["accuracy", "background"], config=CONFIG, output=tmp_path)
    found = measured.difference("accuracy", "all", model="same", other="plain")
    assert (found.value, found.low, found.high, found.n) == (0, 0, 0, 6)
    there = measured.difference("accuracy", "all", model="other", other="plain")
    both = [measured.value("accuracy", "all", model=name).value for name in ("other", "plain")]
    assert there.value == pytest.approx(both[0] - both[1])
    kept = Results.read(tmp_path)
    assert kept.differences == measured.differences
    assert {(one.model.model, one.other.model) for one in kept.differences} == {("same", "plain"), ("other", "plain")}
    assert there in [one.value for one in kept.differences]
    assert not [one for one in kept.differences if "class" in one.value.part]
    lines = (tmp_path / "differences.csv").read_text().splitlines()
    assert len(lines) == 1 + len(kept.differences)
    assert "Differences from plain" in (tmp_path / "report.html").read_text()
    with pytest.raises(ConfigurationError, match="the answers behind these numbers are gone"):
        kept.difference("accuracy", "all", model="same", other="plain")


def test_a_model_measured_anew_keeps_no_older_differences(rows, tmp_path):
    for models in ([brightness(), convolutions()], [convolutions()]):
        evaluate(models, rows, ["accuracy"], config=CONFIG, output=tmp_path)
    assert list(Results.read(tmp_path).differences) == []
    assert not (tmp_path / "differences.csv").exists()


def test_numbers_of_other_settings_have_no_difference(rows):
    one, two = (
        evaluate({name: brightness()}, rows, ["accuracy"], config=replace(CONFIG, draws=draws))
        for name, draws in (("a", 1), ("b", 2))
    )
    with pytest.raises(ConfigurationError, match=r"have a difference; found \{'draws': \[1, 2\]\}"):
        one.joined(two).difference("accuracy", "all", model="a", other="b")


def test_results_are_those_of_this_evaluation_alone(rows, tmp_path):
    for seed in (0, 1):
        config = replace(CONFIG, seed=seed)
        found = evaluate(brightness(), rows, ["background"], config=config, output=tmp_path)
        assert {result.origin.seed for result in found} == {seed}
        assert found.value("background_robustness").n
    assert {result.origin.seed for result in Results.read(tmp_path)} == {0, 1}


def test_folders_are_given_as_text_too(rows, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    found = evaluate(brightness(), rows, ["background"], config=CONFIG, output="~/report")
    assert Results.read("~/report").results == found.results
    assert found.write(str(tmp_path / "copy")).results == found.results


def test_what_is_no_folder_and_no_saliency_is_refused_before_anything_is_shown(rows, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"output is no folder; found .*file"):
        evaluate(brightness(), rows, ["background"], config=CONFIG, output=tmp_path / "file")
    with pytest.raises(
        ConfigurationError, match=r"saliency is not allowed; found 'gradcam'; allowed: SaliencyConfig"
    ):
        evaluate(brightness(), rows, ["focus"], config=CONFIG, saliency="gradcam")


def test_damaged_results_are_told_before_anything_is_shown(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "predict_all", lambda *_: pytest.fail("images were shown"))
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
    assert [results.settings[result.origin.settings]["cells"] for result in biases] == ["seen", "canvas"]
    assert results.value("centre_bias", cells="canvas").n
    newest, other = comparisons(results)
    assert (newest.measures, other.measures) == (
        ["centre_bias", "accuracy", "size_bias"],
        ["centre_bias", "accuracy"],
    )
    assert (newest.command, other.command) == ("again", "")
    assert (newest.settings["cells"], other.settings["cells"]) == ("seen", "canvas")


def test_sizes_that_are_no_longer_measured_are_other_numbers(rows, tmp_path):
    for sizes in ((0.5, 2), (0.5,), (0.5,)):
        evaluate(brightness(), rows, ["size"], config=replace(CONFIG, sizes=sizes), output=tmp_path)
    results = Results.read(tmp_path)
    parts = [(one.value.part, one.value.measure) for one in results]
    assert len(parts) == 5 + 3
    assert results.value("size_bias", "size 2").n
    assert results.value("size_bias", "size 0.5", sizes=[0.5, 1]).n
    assert [one.settings["sizes"] for one in comparisons(results)] == ["0.5, 1", "0.5, 1, 2"]


def test_models_of_one_name_never_merge(rows, tmp_path):
    labels = tmp_path / "labels.json"
    labels.write_text('["man", "cup", "cat"]')
    evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path)
    evaluate(brightness(replace(SMALL, size=48)), rows, ["accuracy"], config=CONFIG, output=tmp_path)
    evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path, labels=labels)
    results = Results.read(tmp_path)
    assert len([one for one in results if one.value.part == "all"]) == 3
    (page,) = comparisons(results)
    maps = [settings["label_map"][:12] for settings in results.settings.values() if "measure" in settings]
    assert [model.model for model in page.models] == [
        f"brightness (label_map {of}, size {size})" for size, of in zip((32, 48, 32), maps, strict=True)
    ]
    assert len({*(tmp_path / "model_index").iterdir()}) == 3
    with pytest.raises(ConfigurationError, match="two models have one name"):
        evaluate([brightness(), brightness(replace(SMALL, size=48))], rows, ["accuracy"], config=CONFIG)


def test_one_name_cannot_mean_two_conditions(rows):
    both = [Centre(CONFIG), Size(CONFIG), replace(Centre(replace(CONFIG, cells="canvas")), name="public")]
    with pytest.raises(ConfigurationError, match="two measures show 'cell 0' in different manners"):
        evaluate(brightness(), rows, both, config=CONFIG)
    with pytest.raises(ConfigurationError, match="two measures have one name; found centre"):
        evaluate(brightness(), rows, ["centre", Centre(replace(CONFIG, cells="canvas"))], config=CONFIG)
    found = evaluate(brightness(), rows, ["centre", Centre(CONFIG)], config=CONFIG)
    assert found.value("centre_bias").n


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
    assert {(one.origin.model, one.origin.seed) for one in found} == {("mine", 3)}
    assert {settings["draws"] for settings in found.settings.values()} == {2}
    same = evaluation.accuracy(replace(brightness(), name="mine"), rows, config=EvaluationConfig(**settings))
    assert found.results == same.results
    with pytest.raises(ConfigurationError, match="unknown keyword; found drawss"):
        evaluation.accuracy(network, rows, preprocessing=SMALL, drawss=2)
    with pytest.raises(ConfigurationError, match="Did you mean preprocessing"):
        evaluation.accuracy(network, rows, preprocesing=SMALL)


def test_keywords_of_the_functions_are_those_of_evaluate():
    parameters = inspect.signature(evaluate).parameters.values()
    keywords = {one.name for one in parameters if one.kind is inspect.Parameter.KEYWORD_ONLY}
    assert {*Options.__annotations__} - {field.name for field in fields(EvaluationConfig)} == keywords


def test_nothing_of_a_finished_run_is_taken_for_an_answer_later(rows, tmp_path):
    evaluate(convolutions(), rows, ["accuracy", "focus"], config=CONFIG, output=tmp_path)
    assert [*tmp_path.rglob(".parts")] == []


def test_evaluations_that_share_a_folder_leave_each_other_what_is_done(rows, tmp_path):
    with together(tmp_path / ".parts.lock"):  # another one is at work
        evaluate(brightness(), rows, ["accuracy"], config=CONFIG, output=tmp_path)
        assert [*tmp_path.glob(".parts/*/*.parquet")]
    evaluate(convolutions(), rows, ["accuracy"], config=CONFIG, output=tmp_path)
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert {result.origin.model for result in Results.read(tmp_path)} == {"brightness", "convolutions"}


class Failing:
    """An experiment that works with one model only."""

    name = "failing"
    settings: ClassVar = {}

    def lacks(self, data):
        return ""

    def unfit(self, classifier, config):
        return ""

    def run(self, classifier, label_map, data, config, folder, ranks=None):
        if classifier.name == "convolutions":
            raise ConfigurationError("it fails")
        return [Value(measure="failing", value=1.0, n=1)]


def test_an_error_of_a_later_model_loses_nothing_of_the_others(rows, tmp_path):
    with pytest.raises(ConfigurationError, match="it fails"):
        evaluate([brightness(), convolutions()], rows, ["accuracy", Failing()], config=CONFIG, output=tmp_path)
    found = {(result.origin.model, result.value.measure) for result in Results.read(tmp_path)}
    assert found == {("brightness", "accuracy"), ("convolutions", "accuracy"), ("brightness", "failing")}
    assert (tmp_path / "predictions.parquet").is_file()


def test_answers_without_numbers_lose_nothing_of_models_before(rows, tmp_path):
    broken = replace(convolutions(Preprocessing(size=16)), name="broken")
    torch.nn.init.constant_(broken.network[-1].weight, float("nan"))
    with pytest.raises(ConfigurationError, match="broken answers with NaN"):
        evaluate([brightness(), broken], rows, ["accuracy"], config=CONFIG, output=tmp_path)
    assert {result.origin.model for result in Results.read(tmp_path)} == {"brightness"}


def test_a_model_that_cannot_be_looked_into_has_notes_and_all_other_numbers(rows, tmp_path):
    models = [undifferentiable(), convolutions()]
    found = evaluate(models, rows, config=CONFIG, output=tmp_path)
    numbers = {(one.origin.model, one.value.measure, one.value.part): one.value for one in found}
    for method, reason in (("gradcam", "no feature maps"), ("integrated_gradients", "by gradients")):
        without = numbers["undifferentiable", "foreground_focus", method]
        assert (without.value, without.n, without.left_out) == (None, 0, {UNFIT: 6})
        assert reason in without.note
        assert numbers["convolutions", "foreground_focus", method].value is not None
    assert numbers["undifferentiable", "background_robustness", ""].value is not None
    assert UNFIT in (tmp_path / "report.html").read_text()


def test_a_method_that_fits_is_measured_without_the_others(rows, tmp_path):
    found = evaluate(without_maps(), rows, ["focus"], config=CONFIG, output=tmp_path)
    there = {result.value.part: result.value.value is not None for result in found}
    assert there == {
        "gradcam": False,
        "gradcam++": False,
        "integrated_gradients": True,
        "integrated_gradients pooled": True,
    }


def test_focus_has_settings_of_its_own(rows):
    saliency = SaliencyConfig(methods="gradcam", explained="prediction")
    for measures in (None, ["accuracy", "focus"], "focus"):
        found = evaluate(convolutions(), rows, measures, config=CONFIG, saliency=saliency)
        parts = {one.value.part: one.value.note for one in found if one.value.measure == "foreground_focus"}
        assert parts.keys() == {"gradcam", "gradcam pooled"}
        assert "importance for the prediction" in parts["gradcam"]
    same = evaluation.foreground_focus(convolutions(), rows, saliency=saliency, config=CONFIG)
    assert same.results == found.results
    with pytest.raises(ConfigurationError, match="settings of saliency, which is not measured; found accuracy"):
        evaluate(convolutions(), rows, ["accuracy"], config=CONFIG, saliency=saliency)


def test_focus_that_no_model_can_have_is_refused_before_anything_is_shown(rows, tmp_path):
    with pytest.raises(ConfigurationError, match="focus: no feature maps"):
        evaluate(undifferentiable(), rows, ["accuracy", "focus"], config=CONFIG, output=tmp_path)
    assert [*tmp_path.rglob("*")] == []
    wrong = ForegroundFocus(saliency=SaliencyConfig(layer="nowhere"))
    with pytest.raises(ConfigurationError, match=r"no feature maps .*; found nowhere, which it does not have"):
        evaluate(convolutions(), rows, ["accuracy", wrong], config=CONFIG, output=tmp_path)


def test_no_number_at_all_is_an_error(tmp_path):
    for name in ("cat", "cup", "man"):
        (tmp_path / "images" / "val" / name).mkdir(parents=True)
        (tmp_path / "images" / "val" / name / "one.jpg").write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"no measure gives a number on .*; found 3 the file cannot be decoded"):
        evaluate(brightness(), tmp_path / "images", config=CONFIG, output=tmp_path / "out")
    assert not (tmp_path / "out" / "results.json").exists()
