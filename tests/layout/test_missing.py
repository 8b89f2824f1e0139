"""Old releases and Parquet shards: patches whose images no shard has are problems, not passed over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fornet_hf.classes import wnid_index
from fornet_hf.cli import main
from fornet_hf.hub.location import Folder
from fornet_hf.layout.apply import apply
from tests.layout.conftest import IMAGES, apply_to_dataset
from tests.release.legacy.test_apply import SAMPLE

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_shards(folder: Path, keep: int, added: int = 0) -> Folder:
    """Write the first images of the sample's training split, in two shards, `added` being added to their labels."""
    paths = sorted((IMAGES.root / "train").glob("*/*.JPEG"))[:keep]
    (folder / "data").mkdir(parents=True)
    for number in range(2):
        part = paths[number::2]
        images = pa.array([{"bytes": path.read_bytes(), "path": path.name} for path in part], IMAGE)
        labels = pa.array([wnid_index()[path.parent.name] + added for path in part], pa.int64())
        table = pa.table({"image": images, "label": labels})
        pq.write_table(table, folder / f"data/train-{number:05}-of-00002.parquet")
    return Folder(folder)


@pytest.mark.parametrize("make", [apply, apply_to_dataset])
def test_they_are_counted_once(make, release, tmp_path):
    counts = make(release, "train", write_shards(tmp_path / "few", 3), tmp_path / "out").counts
    assert counts == {"ok": 3, "already there": 0, "missing image": 6}


def test_with_all_images_there_are_none(release, tmp_path):
    assert apply(release, "train", write_shards(tmp_path / "all", 9), tmp_path / "out").counts["ok"] == 9


def test_what_an_earlier_run_made_is_not_missing(release, applied, tmp_path):
    shutil.copytree(applied, tmp_path / "out")
    report = apply(release, "train", write_shards(tmp_path / "few", 3), tmp_path / "out")
    assert report.counts == {"ok": 9, "already there": 9}


def test_a_shard_that_cannot_be_read_is_a_problem(release, tmp_path):
    few = write_shards(tmp_path / "few", 3)
    (few.root / "data/train-00000-of-00002.parquet").write_bytes(b"PAR1 or not")
    report = apply(release, "train", few, tmp_path / "out")
    assert report.counts == {"ok": 1, "already there": 0, "unreadable file of patches or images": 2}


def test_labels_that_imagenet_lacks_are_a_problem(release, tmp_path):
    report = apply(release, "train", write_shards(tmp_path / "foreign", 9, added=1000), tmp_path / "out")
    assert report.counts["unreadable file of patches or images"] == 2


def test_their_patches_are_not_deleted(release, tmp_path, capsys):
    few = write_shards(tmp_path / "few", 3)
    shutil.copytree(SAMPLE / "hub", tmp_path / "hub", copy_function=shutil.copyfile)
    places = ["-p", str(tmp_path / "hub"), "-in", str(few.root), "-o", str(tmp_path / "out")]
    assert main(["apply", *places, "--split", "train", "--delete"]) == 1
    assert "6 missing image" in capsys.readouterr().out
    assert (tmp_path / "hub/train_0.zip").is_file()
