"""create_patches.py, end to end on small real images."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import producers.tasks.create
from create_patches import main
from fornet_hf.format.manifest import read_manifest
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.shards import PatchShard
from producers.work.run_folder import RunFolder
from tests.crashes import kill_everywhere
from tests.disks import needs_disks, on_a_disk

LABELS = {"n02123045_1": 281, "n03877845_1": 698, "n04008634_1": 744, "n07930864_1": 968, "n11939491_1": 985}


def run(images, out, boxes, *more):
    return main([str(images), str(out), "--boxes", str(boxes), "--workers", "1", *more])


def files(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*"))


def digests(out):
    splits = read_manifest(out / "patches").splits
    return {entry.path: entry.sha256 for entries in splits.values() for entry in entries}


def applied(out, images):
    """All rows of a release, by key."""
    rows = {}
    for path in sorted((out / "patches").glob("*.parquet")):
        shard = PatchShard(path, path.name)
        for number, key in enumerate(shard.keys):
            (source,) = images.rglob(f"{key}.JPEG")
            rows[key] = apply_patch(source.read_bytes(), shard[number], shard.encoding)
    return rows


def test_images_become_a_release_that_applies_to_them(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    assert run(images, tmp_path / "out", boxes) == 0
    rows = applied(tmp_path / "out", images)
    assert sorted(rows) == sorted(json.loads(boxes.read_text()))
    assert {key: row.label for key, row in rows.items() if key.startswith("n")} == LABELS
    areas = {key: round(row.foreground_ratio, 1) for key, row in rows.items() if key.startswith("n")}
    assert areas == {
        "n02123045_1": 0.8,
        "n03877845_1": 0.2,
        "n04008634_1": 0.1,
        "n07930864_1": 0.5,
        "n11939491_1": 0.2,
    }
    assert "5 ok, 0 no_detect, 1 error" in capsys.readouterr().out


def test_settings_of_models_are_in_the_manifest_and_no_others_go_on(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    more = ["--split", "validation", "--set", "infiller.method=ns"]
    assert run(images, tmp_path / "out", boxes, *more) == 0
    assert read_manifest(tmp_path / "out" / "patches").producer["infiller"]["settings"]["method"] == "ns"
    assert run(images, tmp_path / "out", boxes, *more[:2]) == 1
    assert "this folder holds a run with another producer" in capsys.readouterr().err


def test_each_split_has_its_images_in_source_order(image_folder, tmp_path):
    images, boxes = image_folder
    run(images, tmp_path / "out", boxes, "--shards", "1")
    for split, folder in (("train", "train"), ("validation", "val")):
        name = f"{split}-00000-of-00001.parquet"
        keys = PatchShard(tmp_path / "out" / "patches" / name, name).keys
        files = sorted((images / folder).glob("*/*.JPEG"))
        assert keys == [path.stem for path in files if path.stem != "damaged"]


def test_the_damaged_image_is_in_the_report_with_its_reason(image_folder, tmp_path):
    images, boxes = image_folder
    run(images, tmp_path / "out", boxes)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["outcomes"] == {"ok": 5, "no_detect": 0, "error": 1}
    assert report["reasons"] == {"error: SourceError": 1}
    (lost,) = report["lost"]
    assert lost["key"] == "damaged"
    assert "cannot be decoded" in lost["detail"]
    assert set(report["pictures_per_second"]) >= {"segment", "infill", "patch", "all"}


def test_a_image_without_a_box_is_counted(image_folder, tmp_path):
    images, boxes = image_folder
    value = json.loads(boxes.read_text())
    value.pop("n07930864_1")
    boxes.write_text(json.dumps(value))
    assert run(images, tmp_path / "out", boxes, "--split", "train") == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["outcomes"] == {"ok": 3, "no_detect": 1, "error": 1}


def test_the_manifest_names_the_backends(image_folder, tmp_path):
    images, boxes = image_folder
    run(images, tmp_path / "out", boxes, "--source-name", "demo", "--dilation", "9")
    manifest = read_manifest(tmp_path / "out" / "patches")
    assert manifest.encoding.dilation == 9
    assert (manifest.source, manifest.classes) == ("demo", None)
    assert manifest.producer["segmenter"]["name"] == "grabcut"
    assert manifest.producer["detector"]["revision"].startswith("sha256:")
    assert list(manifest.splits) == ["train", "validation"]


def test_an_interrupted_run_goes_on_and_gives_the_same(image_folder, tmp_path, monkeypatch):
    images, boxes = image_folder
    assert run(images, tmp_path / "whole", boxes, "--split", "train", "--shards", "3") == 0
    made = []
    real = producers.tasks.create.make_patch

    def interrupted(*args, key, **kwargs):
        made.append(key)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(*args, key=key, **kwargs)

    monkeypatch.setattr(producers.tasks.create, "make_patch", interrupted)
    assert run(images, tmp_path / "cut", boxes, "--split", "train", "--shards", "3") == 130
    assert not (tmp_path / "cut" / "patches" / "manifest.json").exists()
    assert not list((tmp_path / "cut").rglob("*.tmp"))
    finished = len(list((tmp_path / "cut" / "reports").iterdir()))
    assert 0 < finished < 3
    assert run(images, tmp_path / "cut", boxes, "--split", "train", "--shards", "3") == 0
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")
    assert len(made) == len(set(made)) + 1  # only the image at which it was cut was begun twice


def test_shards_are_enough_for_the_workers_and_stay_when_there_are_fewer(image_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("producers.work.plan.FEWEST_PER_SHARD", 2)
    images, boxes = image_folder
    assert run(images, tmp_path / "out", boxes, "--split", "train", "--workers", "2") == 0
    shards = [f"train-0000{n}-of-00002.parquet" for n in range(2)]
    assert list(digests(tmp_path / "out")) == shards
    (tmp_path / "out" / "reports" / "train-00001-of-00002.json").unlink()
    assert run(images, tmp_path / "out", boxes, "--split", "train", "--workers", "1") == 0
    assert list(digests(tmp_path / "out")) == shards


def test_progress_is_told_within_a_shard(image_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(producers.tasks.create, "BATCH", 2)
    counts = []

    def look(self, images):
        counts.append(images)

    monkeypatch.setattr(RunFolder, "tick", look)
    images, boxes = image_folder
    assert run(images, tmp_path / "out", boxes, "--split", "train", "--shards", "1") == 0
    (report,) = (tmp_path / "out" / "reports").iterdir()
    assert sum(counts) == json.loads(report.read_text())["pictures"] == 5
    assert max(counts) == 2


def test_a_finished_run_does_nothing_again(image_folder, tmp_path, monkeypatch):
    images, boxes = image_folder
    run(images, tmp_path / "out", boxes)
    before = digests(tmp_path / "out")
    monkeypatch.setattr(producers.tasks.create, "make_patch", None)
    assert run(images, tmp_path / "out", boxes) == 0
    assert digests(tmp_path / "out") == before


def test_splits_can_be_made_one_after_the_other(image_folder, tmp_path):
    images, boxes = image_folder
    run(images, tmp_path / "both", boxes)
    run(images, tmp_path / "out", boxes, "--split", "val")
    run(images, tmp_path / "out", boxes, "--split", "train")
    assert digests(tmp_path / "out") == digests(tmp_path / "both")


def test_other_settings_or_images_in_the_same_folder_are_an_error(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    run(images, tmp_path / "out", boxes)
    assert run(images, tmp_path / "out", boxes, "--dilation", "5") == 1
    assert "found {'dilation': 5}; allowed: {'dilation': 18}" in capsys.readouterr().err
    next(images.rglob("damaged.JPEG")).unlink()
    assert run(images, tmp_path / "out", boxes) == 1
    assert "another set of images for train; found others in" in capsys.readouterr().err


def test_the_number_of_workers_changes_nothing(image_folder, tmp_path):
    images, boxes = image_folder
    run(images, tmp_path / "one", boxes, "--split", "train", "--shards", "2")
    script = Path(producers.tasks.create.__file__).parents[2] / "create_patches.py"
    command = [sys.executable, script, images, tmp_path / "two", "--boxes", boxes, "--split", "train"]
    environment = {**os.environ, "PYTHONPATH": str(script.parents[1]), "MAX_WORKERS": "2"}
    done = subprocess.run(
        [*map(str, command), "--shards", "2"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "two") == digests(tmp_path / "one")


def test_killed_before_any_operation_it_ends_as_if_it_never_was(image_folder, tmp_path):
    images, boxes = image_folder
    for path in sorted((images / "train").rglob("n*.JPEG"))[1:]:
        path.unlink()  # one of each split is enough, and the damaged one

    def command(out):
        return [str(images), str(out), "--boxes", str(boxes), "--workers", "1"]

    def same(found, wanted):
        assert digests(found) == digests(wanted)
        assert files(found) == files(wanted)

    assert kill_everywhere("create_patches", command, tmp_path, same) > 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["{none}", "{out}"], "folder of images is missing"),
        (["{out}", "{out}"], "no split of images"),
        (["{images}", "{out}", "--boxes", "{none}"], "file of boxes is missing"),
        (["{images}", "{out}", "--max-side", "5"], "max_side"),
        (["{images}", "{out}", "--shards", "99"], "too few images"),
    ],
)
def test_mistakes_are_explained_and_exit_with_1(image_folder, tmp_path, capsys, change, message):
    (tmp_path / "out").mkdir()
    paths = {"images": image_folder[0], "out": tmp_path / "out", "none": tmp_path / "none"}
    assert main([text.format(**paths) for text in change]) == 1
    assert message in capsys.readouterr().err


@needs_disks
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("size=20k", "error: the disk is full; found {out}/patches/train-0000"),
        ("ro", "error: this cannot be written; found {out}/.lock (Read-only file system)"),
    ],
    ids=["full", "read-only"],
)
def test_a_disk_that_takes_no_more_is_named(image_folder, tmp_path, options, words, workers):
    images, boxes = image_folder
    out = tmp_path / "small"
    script = Path(__file__).parents[2] / "build" / "create_patches.py"
    command = [sys.executable, str(script), str(images), str(out), "--boxes", str(boxes), "--split", "train"]
    done = on_a_disk(out, options, [*command, "--shards", "2", "--workers", workers], os.environ)
    assert done.returncode == 1
    assert words.format(out=out) in done.stderr
    assert "Traceback" not in done.stderr


def test_no_patch_at_all_is_an_error(image_folder, tmp_path, capsys):
    images, boxes = image_folder
    boxes.write_text("{}")
    assert run(images, tmp_path / "out", boxes) == 1
    assert "no image gave a patch" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--workers", "0"], ["--workers", "x"], ["--segmenter", "none"]])
def test_a_wrong_command_line_exits_with_2(tmp_path, words):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), str(tmp_path), *words])
