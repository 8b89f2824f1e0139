"""The command, on drawn images and a tiny Stable Diffusion."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from PIL import Image

import finetune_background
from producers.registry import Choice, find
from producers.training.run import TrainingRun
from producers.tuning import tuner
from tests.killing import wait_until
from tests.torchvision_shim import CODE

COMMON = ["--object", "cat", "--device", "cpu", "--precision", "float32", "--side", "64", "--batch-size", "2"]
MAIN = f"""{CODE}
import sys, torch, finetune_background
from producers.tuning import tuner
torch.set_num_threads(1)
tuner._STEPS = 1
sys.exit(finetune_background.main(sys.argv[1:]))
"""


@pytest.fixture
def words(drawn, weights, monkeypatch):
    monkeypatch.setattr(tuner, "_STEPS", 1)

    def words(out, *more, model=weights):
        return list(map(str, [*drawn, out, "--model", model, *COMMON, *more]))

    return words


def test_images_and_masks_become_a_model(words, tmp_path, capsys):
    assert finetune_background.main(words(tmp_path, "--steps", 2)) == 0
    assert capsys.readouterr().out == f"6 pairs, 2 steps\nmodel: {tmp_path}/model\n"
    prompts = json.loads((tmp_path / "model" / "concepts.json").read_text())
    assert prompts == {"object": "a photo of a cat", "background": "a photo of a background"}
    assert len({path.stat().st_mode for path in (tmp_path / "model").rglob("*.*") if path.is_file()}) == 1


def test_only_images_for_training_are_trained_on(words, tmp_path, capsys, monkeypatch):
    def split(*names):
        pairs = finetune_background.read_pairs(*map(Path, words("")[:2]))
        monkeypatch.setattr(
            finetune_background, "read_pairs", lambda *_, **__: dataclasses.replace(pairs, splits=names)
        )
        status = finetune_background.main(words(tmp_path, "--dry-run"))
        monkeypatch.undo()
        return status, capsys.readouterr()

    assert split(*["train"] * 2, *["test"] * 2, *["validation"] * 2)[1].out.startswith("2 pairs")
    status, said = split(*["test"] * 6)
    assert status == 1
    assert "no image with a mask is for training; found ['test']" in said.err


def test_segmenters_and_infillers_load_the_model(words, tmp_path):
    assert finetune_background.main(words(tmp_path, "--steps", 1)) == 0
    names = {"segmenter": "cross-attention", "infiller": "background-diffusion"}
    settings = (("side", "64"), ("steps", "1"))
    loaded = {
        role: find(role, name).load(Choice(name, str(tmp_path / "model"), settings=settings))
        for role, name in names.items()
    }
    assert {model.identity.model for model in loaded.values()} == {str(tmp_path / "model")}
    raster, hole = np.full((40, 30, 3), 90, np.uint8), np.zeros((40, 30), bool)
    hole[10:20, 10:20] = True
    (filled,) = loaded["infiller"].infill([raster], [hole])
    assert np.array_equal(filled[~hole], raster[~hole])
    assert (filled[hole] != raster[hole]).any()


@pytest.mark.slow
def test_what_was_killed_goes_on_to_the_same_bits(words, tmp_path):
    """The process is killed after a checkpoint and some steps, whose figures are then forgotten."""
    assert finetune_background.main(words(tmp_path / "whole", "--steps", 8, "--save-every", 3)) == 0
    killed = TrainingRun(tmp_path / "killed")
    command = words(killed.folder, "--steps", 8, "--save-every", 3)
    path = os.pathsep.join(sys.path)
    slow = MAIN.replace(
        "tuner._STEPS = 1",
        "tuner._STEPS = 1; real = tuner.Tuner._step\nimport time\n"
        "tuner.Tuner._step = lambda self, step: (time.sleep(step > 4 and 60), real(self, step))[1]",
    )
    with subprocess.Popen([sys.executable, "-c", slow, *command], env={**os.environ, "PYTHONPATH": path}) as process:
        wait_until(killed.checkpoint.is_file)
        process.send_signal(signal.SIGKILL)
    assert not killed.figures() or killed.figures()[-1]["step"] == 3
    assert finetune_background.main(command) == 0
    whole, parts = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "killed"))
    assert whole["step"] == parts["step"] == 8
    for name, value in whole["unet"].items():
        assert torch.equal(value, parts["unet"][name])
    assert [line["step"] for line in killed.figures()] == [3, 6, 8]


def test_a_dry_run_checks_the_inputs_and_makes_nothing(words, tmp_path, capsys):
    out = tmp_path / "out"
    assert finetune_background.main(words(out, "--dry-run", model="nobody/nothing")) == 0
    assert "6 pairs, nothing trained" in capsys.readouterr().out
    assert not out.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--side", 100], "side is not allowed"),
        (["--lr", "-1"], "lr is not allowed"),
        (["--object", " "], "the name of an object is not allowed"),
        (["--prompt", " "], "the prompt of the object is not allowed"),
        pytest.param(
            ["--device", "cuda"],
            "torch sees no GPU",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_loaded(words, tmp_path, capsys, more, message):
    assert finetune_background.main(words(tmp_path / "out", *more, model="nobody/nothing")) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_weights_say_which_to_fetch(words, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert finetune_background.main(words(tmp_path / "out", model="nobody/nothing")) == 1
    assert "hf download nobody/nothing" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()  # so that the command with another model is not refused


def test_too_little_memory_says_which_options_need_less(words, tmp_path, capsys, monkeypatch):
    def step(*_):
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(tuner.Tuner, "_step", step)
    assert finetune_background.main(words(tmp_path, "--steps", 1)) == 1
    assert "does not fit into the device's memory. Give --micro-batch 1" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(tuner, "_STEPS", 1)
    assert finetune_background.main(words(tmp_path, "--steps", 1, "--micro-batch", 1)) == 0


def test_another_training_in_the_folder_is_refused(words, tmp_path, capsys):
    assert finetune_background.main(words(tmp_path, "--steps", 1)) == 0
    for more in ([], ["--dry-run"]):
        assert finetune_background.main(words(tmp_path, "--steps", 1, "--seed", 1, *more)) == 1
        assert "begun with other settings" in capsys.readouterr().err


def test_masks_that_were_empty_may_be_put_right(words, drawn, tmp_path, capsys):
    _, masks = drawn
    given = tmp_path / "masks"
    given.mkdir()
    for path in masks.iterdir():
        with Image.open(path) as mask:
            Image.new("1", mask.size).save(given / path.name)
    command = words(tmp_path / "out", "--steps", 1)
    command[1] = str(given)
    assert finetune_background.main(command) == 1
    assert "no image can be used" in capsys.readouterr().err
    shutil.copytree(masks, given, dirs_exist_ok=True)
    assert finetune_background.main(command) == 0
