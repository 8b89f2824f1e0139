"""train_segmenter.py, and the whole circle: masks, a network, masks of other images, patches, recombined images."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")
pytest.importorskip("cv2")

import segment  # noqa: E402
import select_versions  # noqa: E402
import train_segmenter  # noqa: E402
from fornet_hf.evaluation.masks.agreement import compare  # noqa: E402
from fornet_hf.evaluation.masks.layouts import read_truth  # noqa: E402
from fornet_hf.evaluation.masks.predicted import read_predicted  # noqa: E402
from producers.segment.networks.files import read_card  # noqa: E402
from tests.blocks import ROOT  # noqa: E402
from tests.build.distil.drawn import write_drawn  # noqa: E402
from tests.killing import wait_until  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]

TINY = ["--widths", "8,16,16", "--side", "32", "--batch-size", "8", "--lr", "0.01"]
CPU = ["--device", "cpu", "--precision", "float32"]


def train(*words):
    return train_segmenter.main([*map(str, words), *TINY, *CPU])


def take_apart(images, run, segmenter, *more):
    models = ["--segmenter", f"unet={segmenter}", "--infiller", "opencv"]
    machine = ["--gpus", "0", "--workers", "0", "--precision", "float32"]
    return segment.main([str(images), str(run), *models, *machine, *more])


def test_drawn_objects_are_learnt_segmented_distilled_and_recombined(tmp_path, capsys):
    """The first network learns from PNG masks, the second one from what the first has found in images without any."""
    from fornet_hf import load_dataset

    images, masks = write_drawn(tmp_path / "labelled", 60)
    others, truth = write_drawn(tmp_path / "others", 12, first=900)
    assert train(images, masks, tmp_path / "first", "--steps", 150, "--every", 150) == 0
    assert "best after step" in capsys.readouterr().out
    scores = read_card(tmp_path / "first" / "segmenter.safetensors").trained["scores"]
    assert scores["iou"] >= 0.9

    setting = ["--set", "segmenter.largest=true"]
    assert take_apart(others, tmp_path / "run", tmp_path / "first" / "segmenter.safetensors", *setting) == 0
    found = compare(read_predicted(tmp_path / "run"), read_truth(truth, "png"))
    assert len(found.keys) == 12
    tp, fp, fn, _ = found.counts.sum(0)
    assert tp / (tp + fp + fn) >= 0.9

    assert train(others, tmp_path / "run", tmp_path / "second", "--steps", 4, "--validation", 0.3) == 0
    trained = read_card(tmp_path / "second" / "segmenter.safetensors").trained
    assert trained["train"] == [[str(others), str(tmp_path / "run")]]
    assert sum(trained["pairs"].values()) == 12

    words = [str(tmp_path / "run"), str(others), str(tmp_path / "out"), "--gpus", "0", "--workers", "0"]
    assert select_versions.main([*words, "--classifiers"]) == 0
    dataset = load_dataset(
        patches=tmp_path / "out" / "patches",
        imagenet_dir=others,
        cache_dir=tmp_path / "cache",
        background_combination="all",
    )
    assert len(dataset["train"]) == 12
    assert np.asarray(dataset["train"][0]["image"]).ndim == 3


def test_the_same_command_goes_on_and_another_one_is_refused(tmp_path, capsys):
    pairs = write_drawn(tmp_path, 8)
    out = tmp_path / "out"
    assert train(*pairs, out, "--steps", 2, "--validation", 0.4) == 0
    before = (out / "pairs" / "pairs.bin").stat().st_mtime_ns
    assert train(*pairs, out, "--steps", 3, "--validation", 0.4) == 0
    assert (out / "pairs" / "pairs.bin").stat().st_mtime_ns == before
    assert json.loads((out / "log.jsonl").read_text().splitlines()[-1])["step"] == 3
    capsys.readouterr()
    assert train(*pairs, out, "--steps", 3, "--validation", 0.4, "--seed", 1) == 1
    assert "begun with other settings; found {'seed': 1}" in capsys.readouterr().err


def test_a_process_that_is_killed_loses_nothing_but_time(tmp_path):
    """It ends, when the command is given again, with the very bytes of one that nobody killed."""
    pairs, steps = write_drawn(tmp_path, 8), ["--steps", 6, "--every", 2]
    assert train(*pairs, tmp_path / "whole", *steps) == 0
    words = [*map(str, (*pairs, tmp_path / "killed", *steps)), *TINY, *CPU]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, ROOT / "build" / "train_segmenter.py", *words], env=environment, stderr=subprocess.DEVNULL
    ) as process:
        wait_until((tmp_path / "killed" / "checkpoint.pt").is_file)
        process.kill()
    assert train(*pairs, tmp_path / "killed", *steps) == 0
    files = [(tmp_path / name / "segmenter.safetensors").read_bytes() for name in ("whole", "killed")]
    assert files[0] == files[1]


def test_a_command_that_could_not_begin_may_be_put_right(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    images, masks = write_drawn(tmp_path, 4)
    assert train(images, tmp_path / "none", tmp_path / "out", "--steps", 1) == 1
    assert "no masks in" in capsys.readouterr().err
    assert train(images, masks, tmp_path / "out", "--steps", 1, "--encoder", "resnet18") == 1
    assert "pip install segmentation-models-pytorch" in capsys.readouterr().err
    assert train(images, masks, tmp_path / "out", "--steps", 1) == 0


def test_added_pairs_are_not_held_back(tmp_path):
    real, made = (write_drawn(tmp_path / str(n), 6, first=100 * n) for n in range(2))
    assert train(*real, tmp_path / "out", "--also", *made, "--steps", 1, "--validation", 0.5) == 0
    index = json.loads((tmp_path / "out" / "pairs" / "pairs.json").read_text())
    held = {key for key, split in zip(index["keys"], index["splits"], strict=True) if split == "validation"}
    assert held
    assert held <= {f"{number:04}" for number in range(6)}


def test_more_pairs_may_be_added_and_others_held_back(tmp_path, capsys):
    real, made, held = (write_drawn(tmp_path / str(n), 6, first=100 * n) for n in range(3))
    (real[0] / "train" / "thing" / "0001.jpg").write_bytes(b"no image")
    words = ["--also", *made, "--validate", *held, "--steps", "1"]
    assert train(*real, tmp_path / "out", *words) == 0
    card = read_card(tmp_path / "out" / "segmenter.safetensors")
    assert card.trained["pairs"] == {"train": 11, "validation": 6}
    assert "left out, cannot be used: 1\n  0001: the source image cannot be dec" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", "0"], "--steps; found 0; allowed: 1 or more"),
        (["--side", "33"], "--side; found 33"),
        (["--encoder", "resnet18", "--classes", "2", "--side", "33"], "--side; found 33"),
        (["--layout", "coco"], "annotation"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, capsys, words, message):
    pairs = write_drawn(tmp_path, 4)
    assert train_segmenter.main([*map(str, pairs), str(tmp_path / "out"), *TINY, *CPU, *words]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "segmenter.safetensors").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said_before_anything_is_read(tmp_path, capsys):
    assert train_segmenter.main(["none", "none", str(tmp_path / "out")]) == 1
    assert "torch sees no GPU" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_segmenter_is_refused_before_a_run_begins(tmp_path, capsys):
    images, _ = write_drawn(tmp_path, 2)
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"PK\x03\x04 this is a pickle")
    assert take_apart(images, tmp_path / "run", file) == 1
    assert "not a whole safetensors file" in capsys.readouterr().err
    assert take_apart(images, tmp_path / "run", tmp_path / "none.safetensors") == 1
    assert "no file" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
