"""Contact sheets of runs, with the heat maps of a segmenter that has some."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import preview
import segment
import select_versions
from fornet_hf.format.masks import open_mask
from fornet_hf.preview import CELL

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
    return (width - 150) // CELL[0], height // CELL[1]


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
    assert shown(tmp_path / "run", images, tmp_path / "sheet.png") == (3, 1)


def test_the_heat_map_is_red_where_the_object_is_and_blue_elsewhere():
    soft = np.zeros((4, 4), np.uint8)
    soft[:2, 2:] = 230
    drawn = preview.heat(np.full((80, 120, 3), 128, np.uint8), soft).astype(int)
    assert drawn[5, 110, 0] > drawn[5, 110, 2] + 40
    assert drawn[75, 5, 2] > drawn[75, 5, 0]


def test_the_outline_lies_on_the_edge_and_the_rest_is_darker():
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    drawn = preview.outlined(np.full((80, 120, 3), 200, np.uint8), mask)
    assert drawn[40, 60].tolist() == [200, 200, 200]
    assert drawn[5, 5].tolist() == [100, 100, 100]
    assert drawn[20, 60].tolist() == [255, 40, 90]


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
