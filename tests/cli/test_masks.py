"""The command `fornet masks`."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from fornet_hf.cli import main


@pytest.fixture
def folders(tmp_path):
    """Truths a, b and d; predictions a, b (smaller) and c."""
    mask = np.zeros((8, 12), bool)
    mask[2:6, 4:8] = True
    (tmp_path / "truth").mkdir()
    (tmp_path / "found").mkdir()
    for name in "abd":
        levels = Image.fromarray(np.uint8(mask) * 255)
        levels.save(tmp_path / "truth" / f"{name}.png")
    Image.fromarray(mask).save(tmp_path / "found" / "a.png")
    Image.fromarray(mask[::2, ::2]).save(tmp_path / "found" / "b.png")
    Image.fromarray(mask).save(tmp_path / "found" / "c.png")
    return tmp_path


def test_prints_a_table_and_what_has_no_counterpart(folders, capsys):
    assert main(["masks", str(folders / "found"), str(folders / "truth"), "--resamples", "20"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[1].split() == ["iou,", "pooled", "1.0000", "1.0000", "to", "1.0000", "0.0000", "2"]
    assert len(lines) == 1 + 8 + 3
    assert "masks: 2, of which 1 were scaled to the truth's size" in lines
    assert "no prediction: 1\n" in err
    assert "no prediction: d\n" in err
    assert "no truth: c\n" in err


def test_prints_json_and_writes_each_image(folders, capsys):
    options = ["--json", "--csv", str(folders / "images.csv"), "--missing", "empty", "--resamples", "20"]
    assert main(["masks", str(folders / "found"), str(folders / "truth"), *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["masks"], found["missing"], found["extra"]) == (3, [], ["c"])
    pooled = next(one for one in found["values"] if (one["measure"], one["part"]) == ("iou", "pooled"))
    assert pooled["value"] == pytest.approx(2 / 3)
    with (folders / "images.csv").open(newline="") as file:
        rows = {row["key"]: row for row in csv.DictReader(file)}
    assert rows["d"] == {
        "key": "d", "tp": "0", "fp": "0", "fn": "16", "tn": "80",
        "iou": "0.000000", "dice": "0.000000", "pixel_accuracy": "0.833333", "miou": "0.416667",
    }  # fmt: skip


def test_sets_that_share_no_name_are_an_error(folders, capsys):
    for path in (folders / "found").iterdir():
        path.rename(path.with_stem(f"other_{path.stem}"))
    assert main(["masks", str(folders / "found"), str(folders / "truth")]) == 1
    assert "error: no mask has the name of a truth" in capsys.readouterr().err


def test_black_and_white_masks_are_none_of_voc(folders, capsys):
    assert main(["masks", str(folders / "found"), str(folders / "truth"), "--layout", "voc"]) == 1
    message = capsys.readouterr().err
    assert "no truth has an object" in message
    assert "Masks of 0 and 255 are those of --layout png" in message


def test_the_centre_alone_is_counted(folders, capsys):
    arguments = ["masks", str(folders / "found"), str(folders / "truth"), "--resamples", "20", "--crop", "4"]
    assert main([*arguments, "--csv", str(folders / "images.csv")]) == 0
    counted = "counted: the 4 x 4 pixels in the centre, of masks with such a shorter side"
    assert counted in capsys.readouterr().out.splitlines()
    assert (folders / "images.csv").read_text().splitlines()[1].startswith("a,4,0,0,12,")


def test_many_truths_without_an_object_are_told(folders, capsys):
    for name in "bd":
        Image.new("1", (12, 8)).save(folders / "truth" / f"{name}.png")
    arguments = [str(folders / "found"), str(folders / "truth"), "--resamples", "20"]
    assert main(["masks", *arguments]) == 0
    assert "most truths" not in capsys.readouterr().err
    assert main(["masks", *arguments, "--missing", "empty"]) == 0
    assert "note: most truths have no object" in capsys.readouterr().err
