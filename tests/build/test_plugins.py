"""Models of other packages: written into a folder, named on the command line, loaded where they are used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import segment
from producers.devices.placement import Placement
from producers.tasks.candidate_shards import CandidateShard
from producers.work.plan import plan
from producers.work.run_folder import CandidateFolder

ROOT = Path(__file__).parents[2]

CUTTER = '''
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from producers.scene import Identity


class Cutter:
    """Takes the whole box."""

    def __init__(self, model="none", revision=None, batch_size=4):
        self.identity = Identity(name="cutter", model=model, revision=revision or "1")
        Path(os.environ["LOADED"]).write_text(str(os.getpid()))

    def segment(self, rasters, boxes):
        return [[self.cut(raster, box) for box in found] for raster, found in zip(rasters, boxes)]

    def cut(self, raster, box):
        mask = np.zeros(raster.shape[:2], bool)
        mask[box[1] : box[3], box[0] : box[2]] = True
        return mask


def plain(placement, **options) -> Cutter:
    return Cutter(placement.device)


@dataclass(frozen=True)
class Margins:
    wide: int = 2


def tuned(settings: Margins | None = None) -> Cutter:
    return Cutter(f"wide {(settings or Margins()).wide}")


def vague(settings=None) -> Cutter:
    return Cutter()


def lies() -> Cutter:
    return {}


def of_dict() -> dict:
    return {}


def unannotated():
    return Cutter()


def demanding(side) -> Cutter:
    return Cutter()


NUMBER = 1
'''

FINDER = '''
from dataclasses import replace

import numpy as np

from producers.scene import Cut, Identity
from producers.step import ModelStep


class Finder(ModelStep):
    """Finds and segments at once."""

    needs, gives = frozenset({"prompts"}), frozenset({"masks"})

    def __init__(self, model):
        self.model = model

    @property
    def identity(self):
        return Identity(name="finder", model=self.model, revision="1")

    def __call__(self, scenes):
        masks = [np.zeros(scene.raster.shape[:2], bool) for scene in scenes]
        for mask in masks:
            mask[20:60, 20:60] = True
        return [replace(one, masks=(Cut(mask, one.prompts[0], 0.75),)) for one, mask in zip(scenes, masks)]


def load(model) -> Finder:
    return Finder(model)
'''


@pytest.fixture
def package(tmp_path):
    """A folder with a package of models, and with the entry point of one."""
    folder = tmp_path / "site"
    (folder / "my_models").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "cut": CUTTER,
        "find": FINDER,
        "broken": "1 / 0",
        "torn": "import no_such",
    }.items():
        (folder / "my_models" / f"{name}.py").write_text(text)
    about = folder / "my_models-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-models\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[fornet.segmenters]\nmy-finder = my_models.find:load\n")
    return folder


def run(images, out, package, *words):
    """Run the script; return what it noted as its models, and the process of the one that was loaded."""
    common = ["--infiller", "opencv", "--precision", "float32", "--gpus", "0", "--workers", "1", "--shards", "1"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{package}", "LOADED": str(out) + ".pid"}
    command = [sys.executable, str(ROOT / "build" / "segment.py"), str(images), str(out), *words, *common]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        errors = process.communicate(timeout=300)[1]
    assert process.returncode == 0, errors
    loaded = Path(f"{out}.pid")
    return json.loads((out / "models.json").read_text()), process.pid, loaded.exists() and int(loaded.read_text())


def candidates(images, out):
    (task,) = plan(images, ["validation"], 1)
    return list(CandidateShard(CandidateFolder(out).shard(task)).by_image())


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_function_of_another_package_segments_in_the_process_that_drives_the_gpu(
    image_folder, tmp_path, package, engine
):
    if engine == "ray":
        pytest.importorskip("ray", reason="this engine needs Ray")
    images, boxes = image_folder
    words = ["--detector", f"boxes={boxes}", "--segmenter", "my_models.cut:Cutter=weights.pth@7", "--engine", engine]
    models, driver, loaded = run(images, tmp_path / "out", package, *words)
    assert models["segmenter"] == {"name": "cutter", "model": "weights.pth", "revision": "7", "settings": {}}
    assert loaded != driver
    ((candidate,),) = candidates(images, tmp_path / "out")
    assert candidate.score == 1.0
    noted = json.loads((tmp_path / "out" / "run.json").read_text())["producer"]
    assert noted["segmenter"] == "my_models.cut:Cutter=weights.pth@7"


def test_an_entry_point_that_finds_by_itself_needs_no_detector(image_folder, tmp_path, package):
    images, _ = image_folder
    models, *_ = run(images, tmp_path / "out", package, "--segmenter", "my-finder=some/weights")
    assert list(models) == ["segmenter", "infiller"]
    assert models["segmenter"]["model"] == "some/weights"
    ((candidate,),) = candidates(images, tmp_path / "out")
    assert candidate.score == 0.75
    noted = json.loads((tmp_path / "out" / "run.json").read_text())["producer"]
    assert "detector" not in noted


@pytest.fixture
def importable(package, monkeypatch):
    monkeypatch.setenv("LOADED", os.devnull)
    monkeypatch.syspath_prepend(package)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_models"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no_models.cut:Cutter"], "no_models.cut:Cutter cannot be loaded; found No module named 'no_models'."),
        (["my_models.no:Cutter"], "found No module named 'my_models.no'"),
        (["my_models.cut:Knife"], "found AttributeError: module 'my_models.cut' has no attribute 'Knife'"),
        (["my_models.cut:"], "found my_models.cut:, which is no function"),
        (["my_models.cut:NUMBER"], "found my_models.cut:NUMBER, which is no function"),
        (["my_models.broken:Cutter"], "found ZeroDivisionError: division by zero"),
        (["my_models.torn:Cutter"], "the segmenter my_models.torn:Cutter cannot be used (No module named 'no_such')"),
        (["my_models.cut:of_dict"], "returns no segmenter; found dict; allowed: a class with `segment`"),
        (["my_models.cut:unannotated"], "returns no segmenter; found no annotation"),
        (["my_models.cut:demanding"], "has parameters that nobody fills; found side"),
        (["my_models.cut:lies=weights"], "takes no model"),
        (["my_models.cut:vague"], "my_models.cut:vague does not say which settings it takes; found no annotation"),
        (["my_models.cut:tuned", "--set", "segmenter.deep=1"], "found 'deep'; allowed: wide=2"),
        (["my_models.cut:Cutter", "--set", "segmenter.wide=1"], "has no settings; found wide. Leave --set out."),
        (["my-finder"], "the segmenter my-finder needs a model; allowed: --segmenter my-finder=MODEL"),
        (["my-finder=a@1"], "takes no revision"),
        (["finder"], "found 'finder'; allowed: birefnet, cross-attention, grabcut, my-finder, sam, "),
        (["my-finder=a", "--detector", "centred"], "detect gives detections, which no step after it needs"),
        (["my-finder=a", "--threshold", "0.5"], "there is no detector; found --threshold"),
    ],
)  # fmt: skip
def test_a_wrong_plug_in_is_refused_before_anything_is_written(
    image_folder, tmp_path, importable, capsys, words, message
):
    images, _ = image_folder
    common = ["--infiller", "opencv", "--gpus", "0", "--workers", "0"]
    assert segment.main([str(images), str(tmp_path / "out"), "--segmenter", *words, *common]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_function_that_does_not_keep_its_word_is_named_once_it_is_loaded(importable):
    from fornet_hf.errors import ConfigurationError
    from producers.registry import Choice, find

    name = "my_models.cut:lies"
    with pytest.raises(ConfigurationError, match=f"the segmenter {name} returns no segmenter; found dict"):
        find("segmenter", name).load(Choice(name))


def test_a_function_gets_the_device_and_the_options_that_it_takes(importable):
    pytest.importorskip("torch", reason="devices are torch's")
    from producers.registry import Choice, find

    name = "my_models.cut:plain"
    model = find("segmenter", name).load(
        Choice(name), lambda: Placement("cpu", "bfloat16"), {"batch_size": 2, "threshold": None}
    )
    assert model.identity.model == "cpu"


def test_a_function_gets_the_settings_whose_class_it_names(importable):
    from producers.registry import Choice, find

    name = "my_models.cut:tuned"
    assert find("segmenter", name).load(Choice(name, settings=(("wide", "5"),))).identity.model == "wide 5"
    assert find("segmenter", name).load(Choice(name)).identity.model == "wide 2"
