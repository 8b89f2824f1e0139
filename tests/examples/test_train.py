"""The example as its user runs it: on the demo's set, with two processes, without torchvision."""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blocks import blocks
from tests.local_hub.client import hub_environment
from tests.torchrun import TWO

torch = pytest.importorskip("torch")

from fornet_hf.tensors import write_tensors  # noqa: E402
from training.model import tiny  # noqa: E402

ROOT = Path(__file__).parents[2]
OPTIONS = ["--model=tiny", "--size=64", "--epochs=2", "--batch-size=8", "--workers=1", "--lr=0.01"]
WHOLE = [
    *("--evaluate", "original", "all", "--mix", "alternate", "--accumulate", "2", "--ema", "0.9"),
    *("--tune", "oft", "--adapter", "blocks=3", "--weights", "base.safetensors"),
]
"""All that has a state of its own, with two processes."""
SPEEDS = ("images_per_second", "waiting_for_data", "seconds")


@pytest.fixture(scope="module")
def train(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    (folder / "without").mkdir()
    (folder / "without" / "torchvision.py").write_text("raise ImportError('there is no torchvision')")
    environment = hub_environment("http://127.0.0.1:9", folder / "cache")
    environment["PYTHONPATH"] = f"{folder / 'without'}:{environment['PYTHONPATH']}"
    environment["OMP_NUM_THREADS"] = "1"
    torch.manual_seed(0)
    write_tensors(folder / "base.safetensors", tiny(1000).state_dict())
    data = ["--patches", demo / "made" / "patches", "--imagenet-dir", demo / "pictures"]

    def command(out, *words, start=()):
        words = [folder / word if word == "base.safetensors" else word for word in words]
        words = [sys.executable, *start, "examples/train.py", *data, *OPTIONS, "--out", folder / out, *words]
        return {"args": [*map(str, words)], "cwd": ROOT, "env": environment, "text": True}

    def run(out, *words, start=()):
        options = {"capture_output": True, "timeout": 300}
        return subprocess.run(**command(out, *words, start=start), **options, check=False), folder / out

    def popen(out, *words, start=()):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
        return subprocess.Popen(**command(out, *words, start=start), **pipes)

    run.popen, run.folder = popen, folder
    return run


@pytest.fixture(scope="module")
def whole(train):
    done, folder = train("whole", *WHOLE, start=TWO)
    assert done.returncode == 0, done.stderr
    return folder


def figures(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in SPEEDS} for line in lines]


def weights(folder):
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    return {**state["model"], **state["model_ema"]}


def test_two_processes_train_and_evaluate(whole):
    first, last = figures(whole)
    assert (first["epoch"], last["epoch"]) == (0, 1)
    assert math.isfinite(last["train_loss"])
    assert last["train_loss"] < first["train_loss"]
    assert math.isfinite(last["original"]["loss"])
    assert last["original"]["loss"] != last["all"]["loss"]


@pytest.fixture
def going_on(train):
    """Goes on, with words of its own, with a copy of a run that was stopped after one epoch."""
    words = (*WHOLE, "--stop-after", "1")
    stopped = train.folder / "stopped"

    def go_on(out, *more):
        if not stopped.exists():
            done, _ = train("stopped", *words, start=TWO)
            assert done.returncode == 0, done.stderr
        shutil.copytree(stopped, train.folder / out)
        done, folder = train(out, *words, *more, start=TWO)
        assert done.returncode == 0, done.stderr
        return folder

    return go_on


def test_a_run_that_was_stopped_ends_like_one_that_was_not(whole, going_on):
    folder = going_on("again")
    assert figures(folder) == figures(whole)
    ours, theirs = weights(folder), weights(whole)
    assert {"0.parametrizations.weight.original", "module.0.parametrizations.weight.original"} <= set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_it_may_go_on_with_images_that_the_device_composes(whole, going_on):
    """The compositions stay, whoever composes them."""
    found, wanted = figures(going_on("deferred", "--defer", "pixels"))[-1], figures(whole)[-1]
    assert found["train_loss"] != wanted["train_loss"]
    assert found["train_loss"] == pytest.approx(wanted["train_loss"], rel=0.001)
    assert found["original"]["loss"] == pytest.approx(wanted["original"]["loss"], rel=0.001)


def test_one_process_trains_on_original_images(train, whole):
    words = ("--plain", "--epochs", "1", "--precision", "fp32")
    done, folder = train("plain", *words, "--mix", "fmix", "--mix-labels", "visible", "--mix-options", "p=0.9")
    assert done.returncode == 0, done.stderr
    kept = json.loads((folder / "config.json").read_text())
    assert (kept["plain"], kept["mix"], kept["mix_labels"]) == (True, "fmix", "visible")
    assert kept["mix_options"] == {"p": 0.9}
    assert math.isfinite(figures(folder)[0]["train_loss"])


def test_errors_come_without_traceback(train):
    done, _ = train("wrong", "--batch-size", "8000")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: batch_size is not allowed; found 8000; allowed: at most")
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_is_said_without_traceback(train):
    done, _ = train("base.safetensors")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: File exists: {train.folder / 'base.safetensors'}"
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_it_imports_ends_it_in_a_line(tmp_path):
    """Torch takes seconds."""
    (tmp_path / "torch.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "examples/train.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        130,
        "interrupted; the same command goes on after the last whole epoch\n",
    )


def test_help_explains_every_option():
    command = [sys.executable, "examples/train.py", "--help"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "highest learning rate (0.001)" in text


@pytest.fixture(scope="module")
def page(train, demo):
    """Does what the page's command for a run does."""

    def do(run):
        (command,) = [
            block.code for block in blocks("examples/README.md", "bash") if f"--out runs/{run} " in block.code
        ]
        words = command.replace("demo/made", f"{demo}/made").replace("demo/pictures", f"{demo}/pictures")
        done, folder = train(run, *words.replace("runs/", f"{train.folder}/").split()[2:])
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), folder

    return do


def test_the_commands_of_the_page_learn_something_and_say_so_in_a_line_an_epoch(page):
    (start, *lines, end), folder = page("demo")
    assert start == f"20 epochs of 25 images, 1,000 classes; log: {folder / 'metrics.jsonl'}"
    form = r"epoch +\d+/20  loss \d\.\d{3}  accuracy original \d+\.\d%  [\d,]+ images/s  [\dmin ]+ s left  CPU"
    assert len(lines) == 20
    assert [line for line in lines if not re.fullmatch(form, line)] == []
    assert end == f"weights: {folder / 'weights.safetensors'}; results: {folder.parent / 'results.csv'}"
    learnt = figures(folder)[-1]
    assert learnt["original"]["top1"] >= 0.5  # of five classes
    _, folder = page("tuned")
    assert figures(folder)[0]["train_loss"] < figures(folder.parent / "demo")[0]["train_loss"] / 2
    row = json.loads((folder / "row.json").read_text())
    assert row["accuracy original"] == pytest.approx(row["top1 original"])
    assert row["background_robustness"] is not None
    assert (folder / "adapter" / "adapter.json").is_file()


@pytest.mark.parametrize("start", [(), TWO], ids=["alone", "torchrun"])
def test_ctrl_c_ends_it_in_a_line_and_the_same_command_goes_on(train, start):
    """A terminal sends it to all processes, those that load included."""
    words = ("--epochs", "2000", "--workers", "2")
    with train.popen("interrupted" + str(len(start)), *words, start=start) as process:
        while not process.stdout.readline().startswith("epoch"):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=300)
    ours = [line for line in said.splitlines() if "interrupted" in line]
    assert ours == ["interrupted; the same command goes on after the last whole epoch"]
    assert "examples/train.py" not in said  # no traceback
    if not start:  # torchrun adds a report of its own
        assert (process.returncode, said.splitlines()) == (130, ours)
        done, _ = train("interrupted0", *words, "--stop-after", "1")
        assert re.search(r", after [1-9]\d* epochs that are done; log: ", done.stdout.splitlines()[0])
