"""segment.py under faults: what it makes in the end is what it would have made undisturbed."""

import hashlib
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.killing import children, lives, run_with_kills, wait_until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found through /proc")


def command(folder, boxes, out, *more):
    models = ["--detector", f"boxes={boxes}", "--segmenter", "grabcut", "--infiller", "opencv"]
    common = ["--precision", "float32", "--gpus", "0", "--shards", "1", "--workers", "1", "--attempts", "99"]
    return [sys.executable, str(ROOT / "build" / "segment.py"), str(folder), str(out), *models, *common, *more]


@pytest.fixture(scope="module")
def images(photos, tmp_path_factory):
    """A folder with 4 images, one of them damaged, and the file of their boxes."""
    root = tmp_path_factory.mktemp("pictures")
    for index, one in enumerate(itertools.islice(photos.values(), 3)):
        path = root / ("train" if index else "val") / one.wnid / f"{one.key}.JPEG"
        path.parent.mkdir(parents=True)
        one.image.save(path, quality=95)
    (path.parent / "damaged.JPEG").write_bytes(b"\xff\xd8 this is no image")
    boxes = {one.key: one.boxes for one in photos.values()}
    (root / "boxes.json").write_text(json.dumps(boxes))
    return root, root / "boxes.json"


def made(out):
    shards = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((out / "candidates").iterdir())}
    report = json.loads((out / "report.json").read_text())
    return shards, report["outcomes"], report["lost"]


@pytest.fixture(scope="module")
def undisturbed(images, tmp_path_factory, environment):
    out = tmp_path_factory.mktemp("undisturbed")
    subprocess.run(command(*images, out), check=True, capture_output=True, env=environment)
    return made(out)


def test_a_corrupt_image_is_in_the_report_with_its_reason(undisturbed):
    _, outcomes, ((lost),) = undisturbed
    assert outcomes == {"ok": 3, "no_detect": 0, "error": 1}
    assert (lost["key"], lost["kind"]) == ("damaged", "SourceError")
    assert "cannot be decoded" in lost["detail"]


KILLS = int(os.environ.get("FORNET_TEST_KILLS", "2"))  # 20 takes some minutes


@pytest.mark.parametrize("victims", ["children", "driver"])
def test_killed_processes_change_nothing(images, tmp_path, environment, undisturbed, victims):
    """Runs are repeated until as many processes have been killed as was asked for."""
    killed = 0
    for attempt in itertools.count():
        if killed >= KILLS:
            break
        out = tmp_path / str(attempt)
        options = {"victims": victims, "seed": attempt, "environment": environment, "span": 2 / (1 + attempt)}
        killed += run_with_kills(command(*images, out), kills=KILLS - killed, **options)
        assert made(out) == undisturbed


def test_a_full_disk_is_named_and_a_second_command_goes_on(images, tmp_path, environment, undisturbed):
    """A limit on the size of files stands in for the disk: writing fails in the same place."""
    out = tmp_path / "out"
    done = subprocess.run(
        command(*images, out),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000)),
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "File too large" in done.stderr
    assert not list((out / "candidates").glob("*train*.parquet"))
    assert not list((out / "candidates").glob(".*"))
    subprocess.run(command(*images, out), check=True, capture_output=True, env=environment)
    assert made(out) == undisturbed


def wait_for_actor(driver):
    """The id of the process of an actor under Ray's driver; None if there is none within 4 minutes."""
    deadline = time.monotonic() + 240
    while driver.poll() is None and time.monotonic() < deadline:
        for one in children(driver.pid):
            if _title(one).startswith("ray::Actor"):
                return one
        time.sleep(0.05)
    return None


def test_ray_makes_the_same_while_its_workers_are_killed(images, tmp_path, environment, undisturbed):
    pytest.importorskip("ray", reason="this engine needs Ray")
    out = tmp_path / "out"
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": environment}
    with subprocess.Popen(command(*images, out, "--engine", "ray"), **options) as driver:
        actor = wait_for_actor(driver)
        assert actor
        os.kill(actor, signal.SIGKILL)
        output = driver.communicate(timeout=300)[0]
    assert driver.returncode == 0, output
    assert made(out) == undisturbed


def test_after_a_killed_driver_of_ray_a_second_one_goes_on(images, tmp_path, environment, undisturbed):
    """Nothing of ours goes on meanwhile; two agents of Ray notice after a minute."""
    pytest.importorskip("ray", reason="this engine needs Ray")
    words = command(*images, tmp_path / "out", "--engine", "ray")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as driver:
        actor = wait_for_actor(driver)
        assert actor
        below = [actor, *children(actor)]
        driver.kill()
    wait_until(lambda: not any(map(lives, below)))
    subprocess.run(words, check=True, capture_output=True, env=environment, timeout=300)
    assert made(tmp_path / "out") == undisturbed


def _title(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
