"""`fornet evaluate` from end to end: rows, class folders of fornet apply, ImageNet-9 made by fornet variants."""

from __future__ import annotations

import csv
import json
import os
import sys

import datasets
import pytest

from fornet_hf.cli import main
from fornet_hf.evaluation.data.names import OFFICIAL
from fornet_hf.features import row_features
from tests.blocks import ROOT
from tests.factory import columns, make_row
from tests.images import write_release
from tests.torchrun import run_two

pytest.importorskip("torch")

CLASSES = [f"kind {number}" for number in range(9)]
MODULE = """
import torch
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing

class Constant(torch.nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.answer = torch.nn.Parameter(torch.eye(outputs)[outputs // 2])

    def forward(self, images):
        return self.answer.expand(len(images), -1)

def constant(outputs=9):
    return Classifier(name="constant", revision="", network=Constant(outputs), preprocessing=Preprocessing(size=32))

def convolution():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 9, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return Classifier(name="c", revision="", network=network, preprocessing=Preprocessing(size=32))

def constant_of_two():
    return constant(2)
"""


@pytest.fixture(autouse=True)
def models(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("models")
    (folder / "own_models.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("MAX_WORKERS", "1")
    yield folder
    sys.modules.pop("own_models", None)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    made = [{**columns(make_row(index)), "label": index % 9} for index in range(18)]
    rows = datasets.Dataset.from_list(made, features=row_features(CLASSES))
    rows.save_to_disk(folder / "validation")
    return folder


def evaluate(data, output, *words: str, model: str = "own_models:constant") -> int:
    options = ["--data", str(data), "-o", str(output), "--resamples", "20", "--device", "cpu", *words]
    return main(["evaluate", model, *options])


def numbers(folder) -> dict[tuple[str, str], str]:
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        return {(row["measure"], row["part"]): row["value"] for row in csv.DictReader(file)}


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_rows_come_to_a_short_table_and_a_page(saved, tmp_path, capsys):
    assert evaluate(saved, tmp_path, "--measures", "accuracy, background,centre,size,sensitivity") == 0
    about, head, *lines = capsys.readouterr().out.splitlines()
    assert about == f"{saved}, validation; resamples 20"
    assert head.split() == ["measure", "model", "value", "95", "%", "images", "left", "out"]
    assert [line.partition("  ")[0] for line in lines] == [
        *("Accuracy, original", "Background robustness", "Centre bias", "Size bias, size 0.25"),
        "Relative foreground sensitivity",
    ]
    assert float(numbers(tmp_path)["accuracy", "original"]) == pytest.approx(1 / 9)
    assert (tmp_path / "report.html").is_file()


def test_a_constant_model_is_right_in_a_ninth_of_imagenet_9(saved, tmp_path, capsys):
    assert main(["variants", "--data", str(saved), "-o", str(tmp_path / "in9")]) == 0
    assert evaluate(tmp_path / "in9", tmp_path / "out", "--measures", "in9,challenge") == 0
    found = numbers(tmp_path / "out")
    for variant in OFFICIAL:
        assert float(found["accuracy", variant]) == pytest.approx(1 / 9), variant
    assert float(found["challenge", ""]) == pytest.approx(1 / 9)
    assert float(found["bg_gap", ""]) == 0
    (table,) = (tmp_path / "out" / "challenge").glob("*/challenge.csv")
    assert [path.name for path in table.parent.iterdir()] == ["challenge.csv"]
    assert "Challenge accuracy  own_models:constant  11.1 %" in capsys.readouterr().out
    assert evaluate(tmp_path / "in9", tmp_path / "out", "--measures", "challenge", "--seed", "1") == 0
    tables = {path.read_text().splitlines()[1].split(",")[5] for path in (tmp_path / "out").rglob("challenge.csv")}
    assert tables == {"0", "1"}


def test_variants_of_groups_are_answered_by_a_model_of_the_classes_in_them(saved, tmp_path, capsys):
    (tmp_path / "groups.json").write_text(json.dumps({"sea": CLASSES[:6], "land": CLASSES[6:]}))
    words = ["--taxonomy", str(tmp_path / "groups.json"), "--variants", "original,mixed_rand"]
    assert main(["variants", "--data", str(saved), "-o", str(tmp_path / "two"), *words]) == 0
    assert evaluate(tmp_path / "two", tmp_path / "out", "--measures", "in9") == 0  # which always answers "kind 4"
    found = numbers(tmp_path / "out")
    assert float(found["accuracy", "original class sea"]) == 1
    assert float(found["accuracy", "original class land"]) == 0
    assert "outputs mean 9 classes, in 2 groups" in (tmp_path / "out" / "results.json").read_text()


@pytest.mark.parametrize("kind", [(), ("--zip",)])
def test_what_fornet_apply_made_has_no_originals(tmp_path, capsys, monkeypatch, kind):
    pytest.importorskip("skimage")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write_release(tmp_path / "patches", tmp_path / "images", splits=("validation",), shards=2, each=2)
    places = ["-p", str(tmp_path / "patches"), "-in", str(tmp_path / "images"), "-o", str(tmp_path / "made")]
    assert main(["apply", *places, *kind]) == 0
    words = ["--measures", "accuracy,background"]
    assert evaluate(tmp_path / "made", tmp_path / "out", *words, model="own_models:constant_of_two") == 0
    found = numbers(tmp_path / "out")
    assert found["accuracy", "original"] == ""
    assert {found["accuracy", name] for name in ("orig", "same", "all")} == {"0.5"}
    assert found["background_robustness", ""] == "1.0"
    assert "Accuracy, original     own_models:constant_of_two  not defined" in capsys.readouterr().out


def test_models_of_other_outputs_are_compared_each_by_its_own_labels(saved, tmp_path, capsys):
    (tmp_path / "two.json").write_text('["kind 0", "kind 4"]')
    words = ["--data", str(saved), "-o", str(tmp_path / "out"), "--measures", "accuracy", "--resamples", "20"]
    models = ["own_models:constant", "own_models:constant_of_two"]
    assert main(["evaluate", *models, *words, "--labels", f"{models[1]}={tmp_path / 'two.json'}"]) == 0
    with (tmp_path / "out" / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "original"]
    assert [(row["model"], float(row["value"])) for row in rows] == [
        (model, pytest.approx(1 / 9)) for model in models
    ]
    for labels, told in (
        ([f"own_models:other={tmp_path / 'two.json'}"], "labels of no such model"),
        (["one.json", "two.json"], "two files of labels for one model"),
    ):
        options = [word for file in labels for word in ("--labels", file)]
        assert main(["evaluate", *models, *words, *options]) == 1
        assert told in capsys.readouterr().err


def test_methods_of_saliency_are_chosen(saved, tmp_path, capsys):
    words = ["--measures", "focus", "--saliency", "gradcam", "--explain", "prediction", "--saliency-layer", "0"]
    assert evaluate(saved, tmp_path / "out", *words, model="own_models:convolution") == 0
    assert {part for _, part in numbers(tmp_path / "out")} == {"gradcam", "gradcam pooled"}
    for wrong, told in (
        (["--saliency", "lime"], "saliency.methods is not allowed; found ['lime']"),
        (["--saliency-layer", "9"], "found 9, which it does not have"),
        (["--measures", "accuracy", "--explain", "label"], "settings of saliency, which is not measured"),
    ):
        assert evaluate(saved, tmp_path / "no", *words, *wrong, model="own_models:convolution") == 1
        assert told in capsys.readouterr().err


def test_errors_are_one_line_and_leave_results_untouched(saved, tmp_path, capsys):
    assert evaluate(saved, tmp_path / "out", "--measures", "accuracy") == 0
    before = contents(tmp_path / "out")
    (tmp_path / "labels.json").write_text('["kind 0", "kind 1"]')
    for wrong, told in (
        (["--measures", "bias"], "unknown measure"),
        (["--measures", "in9"], "the variants of ImageNet-9 are needed"),
        (["--labels", str(tmp_path / "labels.json")], "labels.json"),
        (["--data", str(tmp_path / "nowhere")], "nowhere"),
    ):
        assert evaluate(saved, tmp_path / "out", *wrong) == 1
        errors = capsys.readouterr().err
        assert told in errors
        assert "Traceback" not in errors
    words = ["--data", str(saved), "-o", str(tmp_path / "out"), "--measures", "accuracy"]
    assert main(["evaluate", "own_models:constant", "own_models:missing", *words]) == 1
    assert "missing" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before


def test_processes_of_torchrun_come_to_the_same_numbers(saved, tmp_path, models):
    words = ["own_models:constant", "--data", str(saved), "--measures", "accuracy, background", "--resamples", "20"]
    command = ["-m", "fornet_hf", "evaluate", *words, "--device", "cpu", "-o", tmp_path / "two"]
    said = run_two(command, os.environ | {"PYTHONPATH": os.pathsep.join([str(models), str(ROOT)])})
    assert said.count("Background robustness") == 1
    assert evaluate(saved, tmp_path / "one", "--measures", "accuracy,background") == 0
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")


def test_a_model_of_the_current_folder_is_found(saved, tmp_path, monkeypatch):
    (tmp_path / "here_models.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder])
    command = ["evaluate", "here_models:constant", "--data", str(saved), "--measures", "accuracy", "-o", "report"]
    assert main(command) == 0
    assert sys.path[-1] == str(tmp_path)
    sys.modules.pop("here_models")
