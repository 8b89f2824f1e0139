"""A saved dataset knows its patches, its images and what it lacks; of anything else nothing is taken over."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from unittest import mock

import datasets
import pytest

from fornet_hf.cli import main
from fornet_hf.errors import ConfigurationError
from fornet_hf.hub.location import Folder
from fornet_hf.layout.apply import apply, delete_patches
from fornet_hf.layout.saved import DatasetSink
from fornet_hf.release.release import open_release
from tests.images import write_release
from tests.layout.conftest import apply_to_dataset


def made(folder: Path, **kwargs):
    write_release(folder / "patches", folder / "pictures", **kwargs)
    return open_release(Folder(folder / "patches")), Folder(folder / "pictures")


@pytest.fixture
def one(tmp_path):
    return made(tmp_path / "one", shards=2, each=3)


@pytest.fixture
def other(tmp_path):
    return made(tmp_path / "other", shards=2, each=2)


def test_a_split_of_other_patches_is_refused_and_nothing_is_deleted(one, other, tmp_path, capsys):
    apply_to_dataset(one[0], "train", one[1], tmp_path / "out")
    places = ["-p", str(other[0].location.root), "-in", str(other[1].root), "-o", str(tmp_path / "out")]
    assert main(["apply", *places, "--datasets", "--delete"]) == 1
    assert "was made from something else" in capsys.readouterr().err
    assert len(list(other[0].location.root.glob("*.parquet"))) == 2


def test_a_split_of_other_images_is_refused(one, tmp_path):
    release, images = one
    apply_to_dataset(release, "train", images, tmp_path / "out")
    shutil.copytree(images.root, tmp_path / "copy")
    with pytest.raises(ConfigurationError, match=r"found patches .*one/pictures; allowed: patches .*copy\."):
        apply_to_dataset(release, "train", Folder(tmp_path / "copy"), tmp_path / "out")


def test_a_split_that_says_nothing_of_its_origin_is_refused(one, tmp_path):
    apply_to_dataset(*one[:1], "train", one[1], tmp_path / "out")
    (tmp_path / "out/train/made_from.json").write_text("{")
    with pytest.raises(ConfigurationError, match="found no note of what"):
        apply_to_dataset(one[0], "train", one[1], tmp_path / "out")


def test_half_made_rows_of_other_patches_are_not_taken_over(one, other, tmp_path):
    with mock.patch.object(DatasetSink, "_save", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        apply_to_dataset(one[0], "train", one[1], tmp_path / "out")
    assert list((tmp_path / "out/.train").glob("*.arrow"))
    report = apply_to_dataset(other[0], "train", other[1], tmp_path / "out")
    assert report.counts == {"ok": 4, "already there": 0}
    assert len(datasets.load_from_disk(str(tmp_path / "out"))["train"]) == 4


def test_problems_are_remembered_whatever_other_runs_forget(one, tmp_path, capsys):
    release, images = one
    gone = next((images.root / "train").rglob("*_0.*"))
    data = gone.read_bytes()
    gone.unlink()
    out = tmp_path / "out"
    assert apply_to_dataset(release, "train", images, out).counts["missing image"] == 1
    gone.write_bytes(data)
    assert apply(release, "train", images, out).problems == []
    (out / "apply_problems_train_datasets.jsonl").unlink()
    assert apply_to_dataset(release, "train", images, out).counts["missing image"] == 1
    assert len((out / "apply_problems_train_datasets.jsonl").read_text().splitlines()) == 1
    places = ["-p", str(release.location.root), "-in", str(images.root), "-o", str(out)]
    assert main(["apply", *places, "--datasets", "--delete"]) == 1
    said = capsys.readouterr().err
    assert f"delete {out / 'train'} to try them again" in said
    assert "no patches were deleted" in said
    assert len(list(release.location.root.glob("*.parquet"))) == 2


def test_a_split_stays_what_it_is_when_the_patches_of_the_other_are_deleted(tmp_path):
    release, images = made(tmp_path, splits=("train", "validation"), each=1)
    for split in release.splits:
        apply_to_dataset(release, split, images, tmp_path / "out")
    delete_patches(release, ["train"])
    rest = open_release(release.location)
    assert apply_to_dataset(rest, "validation", images, tmp_path / "out").counts["already there"] == 1


def test_patches_that_no_run_has_met_are_not_deleted(one, tmp_path, capsys, monkeypatch):
    release, images = one
    units = type(release).units
    monkeypatch.setattr(type(release), "units", lambda *args, **kwargs: units(*args, **kwargs)[1:])
    places = ["-p", str(release.location.root), "-in", str(images.root), "-o", str(tmp_path / "out")]
    assert main(["apply", *places, "--delete"]) == 1
    assert "no patches were deleted" in capsys.readouterr().err
    assert (release.location.root / "manifest.json").is_file()


def test_images_in_folders_are_not_overwritten(one, tmp_path):
    release, images = one
    apply(release, "train", images, tmp_path / "out")
    with (
        mock.patch.object(type(release), "units", side_effect=AssertionError("work was done")),
        pytest.raises(ConfigurationError, match="no dataset saved by this command"),
    ):
        apply_to_dataset(release, "train", images, tmp_path / "out")
    assert not (tmp_path / "out/.train").exists()


def test_the_note_tells_what_was_missing(one, tmp_path):
    release, images = one
    next((images.root / "train").rglob("*_0.*")).unlink()
    report = apply_to_dataset(release, "train", images, tmp_path / "out")
    note = json.loads((tmp_path / "out/train/made_from.json").read_text())
    assert note["images"] == str(images.root)
    assert note["problems"] == [dataclasses.asdict(problem) for problem in report.problems]
