"""Contact sheets of runs, with the heat maps of a segmenter that has some."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from PIL import Image

import preview
import segment
import select_versions
from fornet_hf.format.masks import open_mask
from fornet_hf.sources import Columns
from producers.tasks.candidate_shards import CandidateShard
from producers.views.cells import SIZE
from producers.views.row import lost_row
from producers.views.shown import Sources, found, lost, versions
from producers.work.run_folder import CandidateFolder

ROW = SIZE[1] + 48  # with two lines below the images

FINDER = '''
import numpy as np

from dataclasses import replace
from producers.scene import Cut, Identity
from producers.step import ModelStep


class Finder(ModelStep):
    """Finds a disc in the middle, by a map as coarse as those of attention."""

    needs, gives = frozenset({"prompts"}), frozenset({"masks"})
    identity = Identity(name="finder", model="none", revision="1")

    def __call__(self, scenes):
        return [replace(scene, masks=(self._cut(scene),)) for scene in scenes]

    def _cut(self, scene):
        y, x = np.mgrid[-1:1:32j, -1:1:48j]
        soft = (255 * np.exp(-3 * (x**2 + y**2))).astype(np.uint8)
        height, width = scene.raster.shape[:2]
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        return Cut(np.hypot(x, y) < 0.5, scene.prompts[0], 0.75, soft)
'''


@pytest.fixture
def finder(tmp_path, monkeypatch):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "soft_finder.py").write_text(FINDER)
    monkeypatch.syspath_prepend(folder)
    return "soft_finder:Finder"


def run(images, out, *words):
    common = ["--infiller", "opencv", "--gpus", "0", "--workers", "0", "--shards", "1", "--precision", "float32"]
    assert segment.main([str(images), str(out), *common, *words]) == 0


def shown(run, images, out, *words):
    """The sheet's width in columns and its height in rows."""
    assert preview.main([str(run), str(images), str(out), *words]) == 0
    with Image.open(out) as sheet:
        width, height = sheet.size
    return (width - 150) // SIZE[0], height // ROW


def test_a_row_for_each_image_shows_heat_map_mask_and_background(image_folder, tmp_path, finder, capsys):
    images, _ = image_folder
    run(images, tmp_path / "run", "--segmenter", finder)
    assert shown(tmp_path / "run", images, tmp_path / "sheet.png") == (4, 5)
    assert shown(tmp_path / "run", images, tmp_path / "few.jpg", "--count", "2") == (4, 2)
    key = capsys.readouterr().out and next((images / "val").rglob("*.JPEG")).stem
    assert shown(tmp_path / "run", images, tmp_path / "one.png", "--key", key) == (4, 1)


def test_soft_maps_are_kept_by_candidates_and_not_published(image_folder, tmp_path, finder):
    images, _ = image_folder
    run(images, tmp_path / "run", "--segmenter", finder, "--split", "validation")
    (path,) = (tmp_path / "run" / "candidates").iterdir()
    (soft,) = pq.read_table(path).column("soft").to_pylist()
    assert open_mask(soft).shape == (32, 48)
    assert open_mask(soft).max() > 240
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "out"), "--gpus", "0", "--workers", "0"]
    assert select_versions.main([*words, "--classifiers"]) == 0
    (path,) = (tmp_path / "out" / "patches").glob("*.parquet")
    assert "soft" not in pq.read_schema(path).names


def test_masks_without_maps_have_no_column_for_them(image_folder, tmp_path):
    images, boxes = image_folder
    run(images, tmp_path / "run", "--detector", f"boxes={boxes}", "--segmenter", "grabcut", "--split", "validation")
    assert shown(tmp_path / "run", images, tmp_path / "sheet.png") == (4, 1)


@pytest.fixture
def boxes_run(image_folder, tmp_path):
    """A run by given boxes; the image of the validation split has none, so nothing was found in it."""
    images, boxes = image_folder
    known = json.loads(boxes.read_text())
    del known[next((images / "val").rglob("*.JPEG")).stem]
    boxes.write_text(json.dumps(known))
    run(images, tmp_path / "run", "--detector", f"boxes={boxes}", "--segmenter", "grabcut")
    return images, tmp_path / "run"


def test_boxes_are_kept_by_the_first_version_and_shown(boxes_run, tmp_path):
    _, folder = boxes_run
    (candidates, *_), *_ = CandidateShard(folder / "candidates" / "train-00000-of-00001.parquet").by_image()
    assert candidates.detections
    assert {one.score for one in candidates.detections} == {1.0}


def test_an_image_that_is_gone_is_named_in_its_place(boxes_run, tmp_path):
    images, folder = boxes_run
    assert shown(folder, images, tmp_path / "all.png") == (4, 4)
    files = [path for path in (images / "train").rglob("*.JPEG") if path.stem != "damaged"]
    files[0].unlink()
    files[1].write_bytes(b"damaged")
    assert shown(folder, images, tmp_path / "some.png") == (4, 4)
    rows = [preview.row_of(one, Sources(images, Columns())) for one in versions(found(CandidateFolder(folder)))]
    assert [bool(row.trouble) for row in rows].count(True) == 2
    gone = next(row for row in rows if files[0].stem in row.label)
    assert "missing" in gone.cells["image"].text
    assert gone.versions[0]["object"].notes[0].text


def test_without_any_image_there_is_no_sheet(boxes_run, tmp_path, capsys):
    images, folder = boxes_run
    shutil.rmtree(images / "train")
    assert preview.main([str(folder), str(images)]) == 1
    assert "none of the images can be read" in capsys.readouterr().err


def test_lost_images_are_shown_with_their_reasons(boxes_run, capsys):
    images, folder = boxes_run
    assert preview.main([str(folder), str(images), "--lost"]) == 0
    with Image.open(folder / "lost.png") as sheet:
        assert (sheet.width - 150) // SIZE[0] == 2
        assert sheet.height // SIZE[1] == 2
    rows = [lost_row(*one, Sources(images, Columns())) for one in lost(CandidateFolder(folder))]
    assert [row.cells["reason"].text.split("\n")[0] for row in rows] == ["error: SourceError", "no_detect: no box"]
    assert rows[1].cells["image"].image is not None


def test_a_run_knows_its_images_and_has_a_place_for_the_sheet(boxes_run, capsys):
    images, folder = boxes_run
    assert preview.main([str(folder)]) == 0
    assert (folder / "preview.png").is_file()
    assert str(images) not in (folder / "run.json").read_text()
    (folder / "source.txt").unlink()
    assert preview.main([str(folder)]) == 1
    assert "does not say where its images are" in capsys.readouterr().err


def test_what_cannot_be_drawn_is_an_error(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert preview.main([str(tmp_path / "run"), str(images), str(tmp_path / "sheet.png")]) == 1
    assert "the run is missing; found no " in capsys.readouterr().err
    run(images, tmp_path / "run", "--detector", f"boxes={boxes}", "--segmenter", "grabcut", "--split", "validation")
    key = next((images / "val").rglob("*.JPEG")).stem
    words = [str(tmp_path / "run"), str(images), str(tmp_path / "sheet.png"), "--key", "nobody", "--key", key]
    assert preview.main(words) == 1
    assert "there are no candidates to show; found none of ['nobody']" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        preview.main([*words[:2], "sheet.bmp"])
    assert "sheet.bmp is not .png, .jpg, .jpeg" in capsys.readouterr().err
