"""Segmenters that the truth prompts, from photographs to figures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from fornet_hf.evaluation.masks.agreement import compare, iou
from fornet_hf.evaluation.masks.layouts import read_truth
from fornet_hf.evaluation.masks.predicted import read_predicted
from fornet_hf.format.raster import canonical_raster
from segment_truth import box_around, innermost, main
from tests.cub import cub


@pytest.fixture
def folders(tmp_path, dahlia):
    """The dahlia twice, one without a truth and one whose truth is empty; truths of twice the image's size."""
    raster, disc = dahlia
    large = disc.repeat(2, axis=0).repeat(2, axis=1)
    for name in ("images/x", "truth/x", "truth/y"):
        (tmp_path / name).mkdir(parents=True)
    for key in ("a", "b", "c", "d"):
        Image.fromarray(raster).save(tmp_path / "images" / "x" / f"{key}.png")
    for key in ("x/a", "x/b", "y/e"):
        Image.fromarray(large).save(tmp_path / "truth" / f"{key}.png")
    Image.fromarray(large & False).save(tmp_path / "truth" / "x" / "c.png")
    return tmp_path


def run(folders, out, *options) -> int:
    images, truth = str(folders / "images"), str(folders / "truth")
    return main([images, truth, str(folders / out), "--segmenter", "grabcut", *options])


@pytest.mark.parametrize(("prompt", "least"), [("box", 0.93), ("point", 0.85)])
def test_grabcut_finds_the_dahlia(folders, capsys, prompt, least):
    assert run(folders, prompt, "--prompt", prompt) == 0
    assert capsys.readouterr().out.startswith("3 masks, 1 empty ones made now, 1 truths without an image\n")
    found = compare(read_predicted(folders / prompt), read_truth(folders / "truth", "png"))
    assert (found.keys, found.missing, found.scaled) == (["a", "b", "c"], ["e"], 3)
    assert (found.empty_truths, found.empty_predictions) == (1, 1)
    assert iou(found.counts, undefined=1).min() > least


def test_a_run_goes_on_with_the_same_settings_only(folders, capsys):
    assert run(folders, "out") == 0
    first, second = (folders / "out" / f"{key}.png" for key in "ab")
    first.write_bytes(b"kept")
    second.unlink()
    assert run(folders, "out") == 0
    assert first.read_bytes() == b"kept"
    assert second.is_file()
    assert run(folders, "out", "--prompt", "point") == 1
    assert "begun with other settings" in capsys.readouterr().err
    assert json.loads((folders / "out" / "segment_truth.json").read_text())["prompt"] == "box"


def test_every_object_is_a_prompt_of_its_own(tmp_path):
    """Two discs, whose common box would hold much between them."""
    y, x = np.ogrid[:80, :160]
    numbers = 1 * (np.hypot(x - 25, y - 40) < 15) + 2 * (np.hypot(x - 130, y - 40) < 20)
    image = np.where(numbers[..., None] > 0, (200, 40, 40), (40, 90, 40)) + np.random.default_rng(0).integers(
        -9, 10, (80, 160, 3)
    )
    for folder in ("JPEGImages", "SegmentationObject"):
        (tmp_path / folder).mkdir()
    Image.fromarray(image.astype(np.uint8)).save(tmp_path / "JPEGImages" / "1.png")
    palette = Image.fromarray(numbers.astype(np.uint8))
    palette.putpalette([*range(256)] * 3)
    palette.save(tmp_path / "SegmentationObject" / "1.png")
    arguments = [str(tmp_path / "JPEGImages"), str(tmp_path), str(tmp_path / "out")]
    assert main([*arguments, "--layout", "voc", "--segmenter", "grabcut"]) == 0
    found = compare(read_predicted(tmp_path / "out"), read_truth(tmp_path, "voc"))
    assert iou(found.counts) > 0.9


def test_prompts_are_on_the_shrunk_image():
    mask = np.zeros((100, 200), bool)
    mask[20:60, 100:180] = True
    raster = np.zeros((50, 100, 3), np.uint8)
    assert box_around(mask, raster) == (50, 10, 90, 30)
    x, y = innermost(mask, raster)
    assert (59 <= x <= 80, 19 <= y <= 20) == (True, True)


def test_the_innermost_point_is_in_the_object():
    ring = np.zeros((50, 50), bool)
    ring[5:45, 5:45] = True
    ring[10:40, 8:40] = False
    x, y = innermost(ring, np.zeros((50, 50, 3), np.uint8))
    assert ring[y, x]
    assert innermost(np.ones((3, 3), bool), np.zeros((3, 3, 3), np.uint8)) == (1, 1)


def test_a_segmenter_without_points_is_refused(folders, capsys, monkeypatch):
    monkeypatch.delattr("producers.segment.grabcut.GrabCut.segment_points")
    assert run(folders, "out", "--prompt", "point") == 1
    assert "the segmenter takes no point; found grabcut has no method segment_points" in capsys.readouterr().err


LOOKER = '''
from dataclasses import dataclass, replace

import numpy as np

from producers.scene import Cut, Identity
from producers.step import ModelStep


@dataclass(frozen=True)
class Red:
    above: int = 150


class Looker(ModelStep):
    """Takes the right part of what is red for "a right." and the left part for all else."""

    gives = frozenset({"masks"})
    identity = Identity(name="looker", model="none", revision="1")

    def __init__(self, settings: Red | None = None):
        self.above = (settings or Red()).above

    def __call__(self, scenes):
        return [replace(one, masks=tuple(self.cut(one.raster, text) for text in one.prompts)) for one in scenes]

    def cut(self, raster, text):
        mask = raster[..., 0] > self.above
        mask[:, slice(None, 48) if text == "a right." else slice(48, None)] = False
        return Cut(mask, text, 1.0)


class Filler:
    """Fills with the mean colour of what is not red."""

    identity = Identity(name="filler", model="none", revision="1")

    def infill(self, rasters, holes):
        return [self.fill(*image) for image in zip(rasters, holes)]

    def fill(self, raster, hole):
        ground = raster[raster[..., 0] < 150].mean(0)
        return np.where(hole[..., None], ground, raster).astype(np.uint8)


class Chooser(Looker):
    """Takes what Looker finds for versions."""

    gives = frozenset({"versions"})

    def __call__(self, scenes):
        return [replace(scene, versions=scene.masks, masks=None) for scene in super().__call__(scenes)]
'''


class TestText:
    """Of images of one disc, with the two halves as texts."""

    @pytest.fixture
    def ask(self, tmp_path, monkeypatch):
        root = cub(tmp_path / "set")
        (tmp_path / "lookers.py").write_text(LOOKER)
        monkeypatch.syspath_prepend(str(tmp_path))
        self.out, self.truth = tmp_path / "out", read_truth(root, "cub", split="test")
        arguments = [str(root), str(root), str(self.out), "--layout", "cub", "--split", "test"]
        return lambda *options: main([*arguments, "--segmenter", *options])

    def score(self) -> float:
        found = compare(read_predicted(self.out), self.truth)
        assert found.keys == self.truth.keys()
        return iou(found.counts.sum(0))

    def test_all_that_is_found_is_the_mask(self, ask, capsys):
        assert ask("lookers:Looker", "--prompt", "text", "--text", "a left.", "--text", "a right.") == 0
        assert capsys.readouterr().out.startswith("2 masks\n")
        assert self.score() > 0.95

    def test_of_versions_the_first_is_the_mask(self, ask):
        assert ask("lookers:Chooser", "--prompt", "text", "--text", "a left.", "--text", "a right.") == 0
        assert 0.45 < self.score() < 0.55

    def test_settings_and_texts_are_noted(self, ask, capsys):
        text = ("--prompt", "text", "--text", "a left.")
        assert ask("lookers:Looker", *text, "--set", "segmenter.above=255") == 0
        assert capsys.readouterr().out.startswith("2 masks, 2 empty ones made now\n")
        noted = json.loads((self.out / "segment_truth.json").read_text())
        assert (noted["text"], noted["split"], noted["settings"]) == (
            ["a left."],
            "test",
            {"segmenter": {"above": 255}},
        )
        assert ask("lookers:Looker", *text) == 1
        assert "begun with other settings" in capsys.readouterr().err
        assert ask("lookers:Looker", *text, "--set", "segmenter.below=1") == 1
        assert "below" in capsys.readouterr().err

    def test_a_refiner_makes_the_mask_exact(self, ask):
        """All that is not black: the infiller gives back what is not the disc."""
        text = ("--prompt", "text", "--text", "a left.", "--text", "a right.", "--set", "segmenter.above=10")
        assert ask("lookers:Looker", *text, "--refine", "inpaint-difference=lookers:Filler") == 0
        assert self.score() > 0.95
        assert (
            json.loads((self.out / "segment_truth.json").read_text())["refiner"]
            == "inpaint-difference=lookers:Filler"
        )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["grabcut", "--refine", "inpaint-difference"], "the refiner needs a model of its own; found inpaint-"),
            (["sam=none.pth"], "the weights of sam are missing"),
            (["lookers:Looker"], "takes no box; found lookers:Looker, which needs no boxes. Prompt it by text."),
            (["lookers:Looker", "--prompt", "text"], "--prompt text and --text go together"),
            (["grabcut", "--text", "a cat."], "--prompt text and --text go together"),
            (["sam", "--prompt", "text", "--text", "a cat."], "takes no text; found sam, which needs detections."),
        ],
    )
    def test_other_prompts_are_refused_before_anything_is_loaded(self, ask, capsys, options, message):
        assert ask(*options) == 1
        assert message in capsys.readouterr().err
        assert not self.out.exists()


def test_images_of_other_names_are_an_error(folders, capsys):
    for path in (folders / "images" / "x").iterdir():
        path.rename(path.with_stem(f"other_{path.stem}"))
    assert run(folders, "out") == 1
    assert "no image has the name of a truth" in capsys.readouterr().err


def test_large_images_are_shrunk_as_in_a_run(folders):
    assert run(folders, "out", "--max-side", "100") == 0
    expected = canonical_raster((folders / "images" / "x" / "a.png").read_bytes(), 100).size
    with Image.open(folders / "out" / "a.png") as mask:
        assert mask.size == expected
