"""What a folder holds: a release in the new format, in the old, or none."""

import shutil

import pytest

from fornet_hf.errors import NotFoundError
from fornet_hf.hub.location import Folder
from fornet_hf.release.release import open_release
from tests.images import CLASSES, write_release
from tests.release.legacy.test_apply import SAMPLE, needs_sample


def test_a_folder_with_a_manifest_is_a_release(tmp_path):
    manifest = write_release(
        tmp_path / "repo/patches", tmp_path / "pictures", splits=("train", "validation"), shards=2
    )
    for folder in (tmp_path / "repo", tmp_path / "repo/patches"):
        release = open_release(Folder(folder))
        assert release.manifest == manifest
        assert list(release.class_names) == list(CLASSES)
        assert list(release.splits) == ["train", "validation"]
        assert len(release.units("validation", Folder(tmp_path / "pictures"))) == 2


def test_units_give_the_rows_of_their_split(tmp_path):
    write_release(tmp_path, tmp_path / "pictures", splits=("train", "validation"), shards=2, each=2)
    units = open_release(Folder(tmp_path)).units("validation", Folder(tmp_path / "pictures"))
    assert [row.key for unit in units for row in unit.rows()] == [
        f"validation_{s}_{r}" for s in (0, 1) for r in (0, 1)
    ]


def test_the_fingerprint_is_that_of_the_content(tmp_path):
    write_release(tmp_path / "a", tmp_path / "pictures")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    write_release(tmp_path / "c", tmp_path / "pictures", each=2)
    names = [open_release(Folder(tmp_path / name)).fingerprint() for name in "abc"]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: (p.mkdir(), (p / "x").touch())])
def test_other_folders_say_what_is_in_them_and_what_should_be(tmp_path, make):
    make(tmp_path / "folder")
    with pytest.raises(NotFoundError, match=r"folder; found (no files|x); allowed: patches/manifest.json"):
        open_release(Folder(tmp_path / "folder"))


def test_a_split_without_images_is_an_error(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures")
    shutil.rmtree(tmp_path / "pictures/train")
    with pytest.raises(
        NotFoundError, match=r"no images for 'train', and this release names no source.*a folder for each class"
    ):
        open_release(Folder(tmp_path / "patches")).units("train", Folder(tmp_path / "pictures"))


@needs_sample
def test_the_ratios_belong_to_the_content_of_an_old_release(tmp_path):
    """Even if the file's size is the same."""
    shutil.copytree(SAMPLE / "hub", tmp_path / "hub", copy_function=shutil.copyfile)
    first = open_release(Folder(SAMPLE / "hub")).fingerprint()
    assert open_release(Folder(tmp_path / "hub")).fingerprint() == first
    ratios = tmp_path / "hub/fg_bg_ratios_val.json"
    ratios.write_text(ratios.read_text().replace("0.2", "0.3"))
    assert open_release(Folder(tmp_path / "hub")).fingerprint() != first


@needs_sample
def test_a_folder_with_zips_is_an_old_release():
    release = open_release(Folder(SAMPLE / "hub"))
    assert len(release.class_names) == 1000
    assert list(release.splits) == ["train", "validation"]
    rows = [row for unit in release.units("validation", Folder(SAMPLE / "imagenet")) for row in unit.rows()]
    assert len(rows) == 9
    assert all(row.foreground and row.mask and row.background for row in rows)
