"""Applying gives the public tool's files; problems are counted; what was broken off is taken up again."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import zipfile
from unittest import mock

import datasets
import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError, PatchFormatError, StorageError
from fornet_hf.hub.location import Folder
from fornet_hf.layout import apply as applying
from fornet_hf.layout import trees
from fornet_hf.layout.apply import apply
from fornet_hf.layout.journal import alone_in
from fornet_hf.layout.paths import Layout
from fornet_hf.layout.report import Report
from fornet_hf.layout.saved import DatasetSink
from fornet_hf.layout.sinks import FolderSink, ZipSink
from fornet_hf.release.release import open_release
from tests.images import CLASSES, write_release
from tests.layout.conftest import IMAGES, apply_to_dataset, apply_to_zips, names, opened, psnr
from tests.release.legacy.test_apply import SAMPLE

RATIOS = {"fg_bg_ratios_train.json", "fg_bg_ratios_val.json"}


@pytest.fixture
def own(tmp_path):
    """Return a small release in the new format, of classes which are not ImageNet's, and its images."""
    write_release(tmp_path / "patches", tmp_path / "pictures", shards=2, each=3)
    return open_release(Folder(tmp_path / "patches")), Folder(tmp_path / "pictures")


def broken_in_the_middle(error):
    """Let the second unit raise an error in place of its second image, meanwhile."""
    outcomes = applying.healed_outcomes

    def until_then(unit, token, skip=lambda *_: False):
        for number, outcome in enumerate(outcomes(unit, token, skip)):
            if number == 1 and "00001" in unit.patches:
                raise error
            yield outcome

    return mock.patch.object(applying, "healed_outcomes", until_then)


def test_the_files_are_those_of_the_public_tool(applied):
    assert set(names(applied)) == set(names(SAMPLE / "expected")) | RATIOS


def test_the_images_are_those_of_the_public_tool(applied):
    for name in names(SAMPLE / "expected"):
        ours, theirs = (np.asarray(opened(root / name)) for root in (applied, SAMPLE / "expected"))
        assert ours.shape == theirs.shape
        shown = np.ones(ours.shape[:2], bool)
        if ours.shape[2] == 4:
            assert (ours[..., 3] == theirs[..., 3]).all()
            shown = ours[..., 3] > 0
        assert psnr(ours[shown][..., :3], theirs[shown][..., :3]) > 30, name


def test_the_ratios_are_those_of_the_release(applied):
    for name in RATIOS:
        ours, theirs = (json.loads((root / name).read_text()) for root in (applied, SAMPLE / "hub"))
        assert ours == pytest.approx(theirs)


def test_many_processes_give_the_same(release, applied, tmp_path, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "3")
    assert apply(release, "validation", IMAGES, tmp_path).counts == {"ok": 9, "already there": 0}
    for name in names(tmp_path):
        assert (tmp_path / name).read_bytes() == (applied / name).read_bytes()


def test_what_is_there_is_not_made_again(release, applied, tmp_path):
    shutil.copytree(applied, tmp_path, dirs_exist_ok=True)
    gone = tmp_path / "train/backgrounds/n02123045/n02123045_1001.JPEG"
    gone.unlink()
    times = {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)}
    assert apply(release, "train", IMAGES, tmp_path).counts == {"ok": 9, "already there": 8}
    assert gone.is_file()
    changed = {name for name, time in times.items() if (tmp_path / name).stat().st_mtime_ns != time}
    assert changed == {"train/foregrounds/n02123045/n02123045_1001.WEBP"}


def test_problems_are_counted_by_reason_and_tried_again(release, tmp_path):
    images = tmp_path / "imagenet"
    shutil.copytree(IMAGES.root, images, copy_function=shutil.copyfile)
    for folder in images.rglob("*"):
        folder.chmod(0o755)
    shutil.rmtree(images / "train/n04008634")
    (images / "train/n01440764/n01440764_1004.JPEG").write_bytes(b"no image")
    (images / "train/n01440764/n01440764_1000.JPEG").unlink()
    out = tmp_path / "out"
    report = apply(release, "train", Folder(images), out)
    assert report.counts == {
        "ok": 5,
        "already there": 0,
        "missing class folder": 2,
        "missing image": 1,
        "unreadable image": 1,
    }
    lines = [json.loads(line) for line in (out / "apply_problems_train.jsonl").read_text().splitlines()]
    assert {line["name"] for line in lines} == {problem.name for problem in report.problems}
    assert apply(release, "train", IMAGES, out).counts == {"ok": 9, "already there": 5}
    assert not (out / "apply_problems_train.jsonl").exists()


def test_a_damaged_file_of_patches_is_counted_and_the_others_are_applied(release, tmp_path):
    hub = tmp_path / "hub"
    shutil.copytree(SAMPLE / "hub", hub, copy_function=shutil.copyfile)
    (hub / "train_0.zip").write_bytes(b"PK")
    report = apply(open_release(Folder(hub)), "train", IMAGES, tmp_path / "out")
    assert report.problems[0].reason == "unreadable file of patches or images"
    assert 0 < report.counts["ok"] < 9


@pytest.mark.parametrize(
    ("form", "present"),
    [(FolderSink, 4), (ZipSink, 4), (DatasetSink, 3)],  # of a dataset only whole units are kept
)
def test_a_full_disk_is_named_and_nothing_is_lost(form, present, own, tmp_path):
    release, images = own
    with (
        broken_in_the_middle(OSError(errno.ENOSPC, "No space left on device", "image")),
        pytest.raises(StorageError, match=r"the disk is full; found image.*run it again"),
    ):
        apply(release, "train", images, tmp_path / "out", form)
    assert apply(release, "train", images, tmp_path / "out", form).counts == {"ok": 6, "already there": present}
    assert not [name for name in names(tmp_path / "out") if name.startswith(".")]


@pytest.mark.parametrize(("form", "made"), [(FolderSink, 4), (ZipSink, 4), (DatasetSink, 3)])
def test_of_a_unit_that_ends_in_the_middle_only_what_is_kept_is_counted(form, made, own, tmp_path):
    release, images = own
    with broken_in_the_middle(PatchFormatError("cut off")):
        report = apply(release, "train", images, tmp_path / "out", form)
    assert report.counts == {"ok": made, "already there": 0, "unreadable file of patches or images": 1}
    if form is DatasetSink:
        assert len(datasets.load_from_disk(str(tmp_path / "out"))["train"]) == made


def test_two_runs_do_not_write_to_one_folder(release, tmp_path):
    layout = Layout(tmp_path, "train")
    with alone_in(layout.work, layout), pytest.raises(ConfigurationError, match="another run"):
        apply(release, "train", IMAGES, tmp_path)


def test_zips_are_completed(release, zipped, tmp_path):
    partly = tmp_path / "imagenet"
    shutil.copytree(IMAGES.root / "train", partly / "train", copy_function=shutil.copyfile)
    for folder in partly.rglob("*"):
        folder.chmod(0o755)
    shutil.rmtree(partly / "train/n01440764")
    out = tmp_path / "out"
    assert apply_to_zips(release, "train", Folder(partly), out).counts["ok"] == 6
    assert apply_to_zips(release, "train", IMAGES, out).counts == {"ok": 9, "already there": 6}
    for name in ("foregrounds_train.zip", "backgrounds_train.zip"):
        assert (out / name).read_bytes() == (zipped / name).read_bytes()


def test_zips_are_read_once_for_all_units(own, tmp_path, monkeypatch):
    release, images = own
    apply_to_zips(release, "train", images, tmp_path / "out")
    opened, members = [], trees._members
    monkeypatch.setattr(trees, "_members", lambda *args: opened.append(args) or members(*args))
    assert apply_to_zips(release, "train", images, tmp_path / "out").counts == {"ok": 6, "already there": 6}
    assert len(opened) == 4  # each for what it has, and to be completed


@pytest.mark.parametrize("name", ["a/b", "ä/ö", "a/bb", "c/d"])
def test_what_is_in_both_zips_is_told_by_its_whole_name(name, own, tmp_path):
    layout = Layout(tmp_path, "train")
    layout.work.mkdir(parents=True)
    for kind, paths in (("foregrounds", ["a/b", "ä/ö", "x/y"]), ("backgrounds", ["a/b", "c/d", "ä/ö"])):
        with zipfile.ZipFile(layout.archive(kind), "w") as file:
            for one in paths:
                file.writestr(layout.member(kind, *one.split("/")), b"")
    sink = ZipSink(layout)
    sink.begin(own[0])
    with sink.writer(0, Report("train")) as writer:
        assert writer.has(*name.split("/")) == (name in {"a/b", "ä/ö"})


def test_folders_begun_do_not_count_for_zips(release, zipped, tmp_path):
    with mock.patch.object(FolderSink, "finish", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        apply(release, "train", IMAGES, tmp_path)
    apply_to_zips(release, "train", IMAGES, tmp_path)
    name = "backgrounds_train.zip"
    assert (tmp_path / name).read_bytes() == (zipped / name).read_bytes()


def test_a_release_of_other_classes_notes_them(own, tmp_path):
    release, images = own
    assert apply(release, "train", images, tmp_path / "out").counts["ok"] == 6
    assert json.loads((tmp_path / "out/classes.json").read_text()) == list(CLASSES)


def test_a_datasets_folder_holds_the_rows(own, tmp_path):
    release, images = own
    report = apply_to_dataset(release, "train", images, tmp_path / "out")
    assert report.counts == {"ok": 6, "already there": 0}
    rows = [row for unit in release.units("train", images) for row in unit.rows()]
    saved = datasets.load_from_disk(str(tmp_path / "out"))["train"]
    assert saved["key"][:] == [row.key for row in rows]
    plain = saved.cast_column("background", datasets.Image(decode=False))
    assert [value["bytes"] for value in plain["background"]] == [row.background for row in rows]
    assert apply_to_dataset(release, "train", images, tmp_path / "out").counts == {"ok": 6, "already there": 6}


def test_a_datasets_folder_counts_problems(own, tmp_path):
    release, images = own
    next((images.root / "train").rglob("*_0.*")).unlink()
    counts = apply_to_dataset(release, "train", images, tmp_path / "out").counts
    assert counts["missing image"] == 6 - counts["ok"] > 0
    assert len(datasets.load_from_disk(str(tmp_path / "out"))["train"]) == counts["ok"]
    again = apply_to_dataset(release, "train", images, tmp_path / "out").counts
    assert again == {**counts, "already there": counts["ok"]}


@pytest.mark.parametrize("step", ["_save", "_note_split"])
def test_a_datasets_folder_broken_off_near_its_end_is_completed(step, own, tmp_path):
    release, images = own
    next((images.root / "train").rglob("*_0.*")).unlink()
    out = tmp_path / "out"
    with mock.patch.object(DatasetSink, step, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        apply_to_dataset(release, "train", images, out)
    counts = apply_to_dataset(release, "train", images, out).counts
    assert counts["already there"] == counts["ok"]
    assert counts["missing image"] == 6 - counts["ok"] > 0
    assert len(datasets.load_from_disk(str(out))["train"]) == counts["ok"]
    assert sorted(path.name for path in out.iterdir()) == [
        "apply_problems_train_datasets.jsonl",
        "dataset_dict.json",
        "train",
    ]


def test_one_process_alone_outlives_the_shell_that_started_it(release, tmp_path, monkeypatch):
    parents = itertools.chain([os.getppid()], itertools.repeat(1))
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(os, "_exit", lambda status: pytest.fail(f"ended with {status}"))
    assert apply(release, "train", IMAGES, tmp_path).counts["ok"] == 9
