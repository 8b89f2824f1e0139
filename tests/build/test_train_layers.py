"""train_layers.py: from images to generators, and on where it was."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")

import train_layers  # noqa: E402
from producers.layers.chosen import chosen  # noqa: E402
from producers.layers.networks.files import read_card, read_generator  # noqa: E402
from producers.training.run import TrainingRun  # noqa: E402
from tests.blocks import ROOT  # noqa: E402
from tests.build.distil.drawn import write_drawn  # noqa: E402
from tests.killing import wait_until  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402
from tests.torchrun import run_two  # noqa: E402

__all__ = ["one_thread"]

TINY = ["--preset", "quick", "--base", "64", "--widest", "8", "--batch-size", "125", "--kimg", "1"]
CPU = ["--device", "cpu", "--precision", "float32"]


def train(*words):
    return train_layers.main([*map(str, words[:2]), *TINY, *CPU, *map(str, words[2:])])


def test_images_become_a_generator(tmp_path, capsys):
    images, _ = write_drawn(tmp_path, 8)
    (images / "train" / "thing" / "0003.jpg").write_bytes(b"no image")
    assert train(images, tmp_path / "out") == 0
    said = capsys.readouterr()
    assert "1 of 1 kimg: mask 0." in said.out
    assert "left out, cannot be used: 1" in said.err
    network, card = read_generator(chosen(tmp_path / "out"))
    assert card.trained["squares"] == 7
    assert (card.trained["preset"], card.trained["images"], card.trained["kimg"]) == ("quick", str(images), 1)
    layers = network(torch.zeros(2, 16))
    assert layers.foreground.shape == (2, 3, 16, 16)
    assert (tmp_path / "out" / "progress" / "000001.png").is_file()


def test_masks_and_losses_move_as_they_should(tmp_path):
    """A quick training: masks are neither empty nor full, and become sharper while nothing else counts."""
    images, _ = write_drawn(tmp_path, 40)
    assert (
        train(images, tmp_path / "out", "--kimg", 4, "--binary", 20, "--independence", "none", "--augment", "none")
        == 0
    )
    lines = TrainingRun(tmp_path / "out").figures()
    assert lines[-1]["binary"] < 0.6 * lines[0]["binary"]
    assert all(0.1 < line["mask"] < 0.7 for line in lines)


def test_the_same_command_goes_on_and_another_one_is_refused(tmp_path, capsys):
    images, _ = write_drawn(tmp_path, 6)
    out = tmp_path / "out"
    assert train(images, out) == 0
    before = (out / "squares" / "squares.bin").stat().st_mtime_ns
    assert train(images, out, "--kimg", "2") == 0
    assert (out / "squares" / "squares.bin").stat().st_mtime_ns == before
    assert [line["kimg"] for line in TrainingRun(out).figures()] == [1, 2]
    capsys.readouterr()
    assert train(images, out, "--kimg", "2", "--shift", "0.2") == 1
    assert "begun with other settings; found {'shift': 0.2}" in capsys.readouterr().err
    assert train(images / "train", out) == 1
    assert "begun with other settings; found {'images':" in capsys.readouterr().err


def test_a_class_of_a_set_is_enough(tmp_path):
    for number, group in enumerate(("train/cat", "train/dog", "val/dog")):
        write_drawn(tmp_path, 3, first=10 * number, group=group)
    assert train(tmp_path / "images", tmp_path / "out", "--class", "dog", "--split", "train") == 0
    index = json.loads((tmp_path / "out" / "squares" / "squares.json").read_text())
    assert index["keys"] == ["0010", "0011", "0012"]
    assert read_card(chosen(tmp_path / "out")).trained["class"] == "dog"


def test_a_training_that_is_interrupted_says_so_and_loses_nothing(tmp_path):
    """It ends, when the command is given again, with the very weights of one that nobody interrupted."""
    images, _ = write_drawn(tmp_path, 6)
    more = ["--kimg", "4", "--every", "4"]
    assert train(images, tmp_path / "whole", *more) == 0
    words = [str(images), str(tmp_path / "parts"), *TINY, *CPU, *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, ROOT / "build" / "train_layers.py", *words],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until((tmp_path / "parts" / "log.jsonl").is_file)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=300)
    if process.returncode == 130:  # else it was faster
        assert "interrupted; the same command goes on from here" in said
        assert 8 <= torch.load(tmp_path / "parts" / "checkpoint.pt", weights_only=True)["step"] < 32
    assert train(images, tmp_path / "parts", *more) == 0
    whole, parts = (read_generator(chosen(tmp_path / name))[0].state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(one, parts[name]) for name, one in whole.items())


def test_minutes_end_a_training_which_then_goes_on(tmp_path, capsys):
    images, _ = write_drawn(tmp_path, 6)
    assert train(images, tmp_path / "out", "--minutes", "nan") == 1
    assert "--minutes is not allowed; found nan; allowed: 0 or more" in capsys.readouterr().err
    assert train(images, tmp_path / "out", "--minutes", "0") == 0
    assert "0 of 1 kimg; the same command goes on from here" in capsys.readouterr().out
    assert train(images, tmp_path / "out") == 0
    assert "1 of 1 kimg" in capsys.readouterr().out


@pytest.mark.slow
def test_two_processes_train_one_generator_together(tmp_path):
    """Each sees half of a batch; with their gradients' mean both have the same networks, and one writes them."""
    images, _ = write_drawn(tmp_path, 6)
    words = [str(images), str(tmp_path / "out"), *TINY, *CPU, "--batch-size", "250"]
    assert run_two([ROOT / "build" / "train_layers.py", *words], os.environ).count("1 of 1 kimg") == 1
    (line,) = TrainingRun(tmp_path / "out").figures()
    assert (line["step"], line["kimg"]) == (4, 1)
    assert read_card(chosen(tmp_path / "out")).trained["squares"] == 6


def test_scores_need_their_package_before_anything_is_trained(tmp_path, capsys, monkeypatch):
    images, _ = write_drawn(tmp_path, 6)
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setitem(sys.modules, "torch_fidelity.utils", None)
    assert train(images, tmp_path / "out", "--fid", "20") == 1
    assert "pip install torch-fidelity" in capsys.readouterr().err
    assert not (tmp_path / "out" / "config.json").exists()
    assert train(images, tmp_path / "out") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kimg", "0"], "--kimg; found 0; allowed: 1 or more"),
        (["--side", "50"], "side is not allowed; found 50"),
        (["--class", "dog"], "there is no such class"),
        (["--drc"], "none of DRC's sets"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, capsys, words, message):
    images, _ = write_drawn(tmp_path, 3)
    assert train(images, tmp_path / "out", *words) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "config.json").exists()


def test_a_folder_without_images_is_an_error(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert train(tmp_path / "empty", tmp_path / "out") == 1
    assert "no masks or images; found none in" in capsys.readouterr().err


def test_a_selection_with_objects_is_refused(tmp_path, capsys):
    np.save(tmp_path / "data_tr_sel.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert train(tmp_path, tmp_path / "out", "--drc") == 1
    assert "data_tr_sel.npy cannot be read" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said_before_anything_is_read(tmp_path, capsys):
    assert train_layers.main(["none", str(tmp_path / "out")]) == 1
    assert "torch sees no GPU" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
