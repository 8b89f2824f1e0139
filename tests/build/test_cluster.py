"""Runs on clusters, selection included: what they make is what one command on one machine makes."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.killing import wait_until
from tests.slurm import ROOT, Array

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found through /proc")
SHARDS = 3
CLASSIFIERS = "--classifiers"  # none: the first version of each image
CLUSTER = """
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1, num_gpus=1)
print(cluster.address, flush=True)
input()
"""
BOXES = """
from pathlib import Path
from producers.detect.boxes import GivenBoxes, read_boxes
from tests.killing import wait_until

def from_both_nodes(model) -> GivenBoxes:
    wait_until(lambda: len(list(Path({logs!r}).glob("*.log"))) == 2)
    return read_boxes(model)
"""


@pytest.fixture(scope="module")
def images(photos, tmp_path_factory):
    """A folder of 4 images and a damaged one, and the options for them: three shards, models without weights."""
    root = tmp_path_factory.mktemp("pictures")
    for one in itertools.islice(photos.values(), 4):
        path = root / "train" / one.wnid / f"{one.key}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        one.image.save(path, quality=95)
    (path.parent / "damaged.JPEG").write_bytes(b"\xff\xd8 this is no image")
    boxes = tmp_path_factory.mktemp("boxes") / "boxes.json"
    boxes.write_text(json.dumps({one.key: one.boxes for one in photos.values()}))
    models = f"--detector boxes={boxes} --segmenter grabcut --infiller opencv --precision float32"
    return root, f"{models} --shards {SHARDS} --workers 0"


def command(script, *words):
    return [sys.executable, str(ROOT / "build" / script), *map(str, words)]


def do(words, environment):
    subprocess.run(words, check=True, capture_output=True, env=environment)


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def made(run, chosen):
    """The candidates, the release, and what the reports say of images."""
    reports = [json.loads((folder / "report.json").read_text()) for folder in (run, chosen)]
    return (
        digests(run / "candidates"),
        digests(chosen / "patches"),
        [(report["outcomes"], report["lost"]) for report in reports],
    )


@pytest.fixture(scope="module")
def undisturbed(images, environment, tmp_path_factory):
    run, chosen = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("chosen")
    root, options = images
    do(command("segment.py", root, run, "--gpus", 0, *options.split()), environment)
    words = command("select_versions.py", run, root, chosen, "--gpus", 0, "--workers", 0, CLASSIFIERS)
    do(words, environment)
    return made(run, chosen)


def test_the_release_has_a_shard_for_each_of_the_source(undisturbed):
    candidates, patches, ((outcomes, _), _) = undisturbed
    assert len(candidates) == SHARDS
    assert len(patches) == SHARDS + 1  # and the manifest
    assert outcomes == {"ok": 4, "no_detect": 0, "error": 1}


def test_an_array_of_slurm_makes_the_same_though_elements_are_killed(images, environment, undisturbed, tmp_path):
    root, options = images
    run, chosen = tmp_path / "run", tmp_path / "chosen"
    paths = {"IMAGES": str(root), "RUN": str(run), "OUT": str(chosen)}
    segmenting = {**environment, **paths, "OPTIONS": f"--gpus 0 {options}"}
    array = Array("build/slurm/segment.sbatch", tmp_path, segmenting, count=SHARDS)
    with array.killed(1):
        wait_until(lambda: list(run.glob("logs/*")))
    array.run()
    selecting = {**environment, **paths, "OPTIONS": f"--gpus 0 --workers 0 {CLASSIFIERS}"}
    array = Array("build/slurm/select.sbatch", tmp_path, selecting, count=2)
    with array.killed(0):
        wait_until(lambda: list(chosen.glob("logs/*")))
    array.run()
    assert made(run, chosen) == undisturbed


@pytest.fixture
def cluster(environment):
    """The address of a Ray cluster of two nodes, each of which says that it has a GPU."""
    pytest.importorskip("ray", reason="this engine needs Ray")
    words = [sys.executable, "-c", CLUSTER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **pipes, text=True, env=environment) as head:
        yield head.stdout.readline().strip()
        head.communicate("\n")


def test_a_cluster_of_ray_makes_the_same_on_all_nodes(images, environment, undisturbed, tmp_path, cluster):
    root, options = images
    run, chosen = tmp_path / "run", tmp_path / "chosen"
    ray = ["--engine", "ray", "--address", cluster]
    (tmp_path / "waiting.py").write_text(BOXES.format(logs=str(run / "logs")))
    environment = {**environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    options = options.replace("boxes=", "waiting:from_both_nodes=")
    do(command("segment.py", root, run, *ray, *options.split()), environment)
    do(command("select_versions.py", run, root, chosen, *ray, CLASSIFIERS), environment)
    assert made(run, chosen) == undisturbed
    assert len({path.name for path in run.glob("logs/*")}) == 2
