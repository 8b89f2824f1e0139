"""What a folder holds: a release in the new format, in the old, or none."""

import dataclasses
import shutil

import pytest

from fornet_hf.classes import class_names, imagenet_classes
from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError
from fornet_hf.format.manifest import MANIFEST, read_manifest, write_manifest
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


@pytest.fixture(params=["new", pytest.param("old", marks=needs_sample)])
def either(request, tmp_path):
    """A release of each format, in a folder that may be changed."""
    if request.param == "old":
        shutil.copytree(SAMPLE / "hub", tmp_path / "release", copy_function=shutil.copyfile)
    else:
        write_release(tmp_path / "release", tmp_path / "pictures", splits=("train", "validation"), shards=2, each=3)
    return open_release(Folder(tmp_path / "release"))


def test_both_formats_count_and_list_the_same_images(either):
    for split in either.splits:
        names = [(one.folder, one.key) for one in either.listing(split)]
        assert len(names) == len(set(names)) == either.count(split) > 0
        assert {folder for folder, _ in names} <= set(either.class_folders)
        some = set(names[:2])
        assert {(one.folder, one.key): one.parts for one in either.listed(split, some)} == dict.fromkeys(
            some, frozenset({"foregrounds", "backgrounds"})
        )


def test_listing_a_damaged_shard_names_it(tmp_path):
    write_release(tmp_path, tmp_path / "pictures")
    release = open_release(Folder(tmp_path))
    (name,) = release.files("train")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-30])
    with pytest.raises(PatchFormatError, match=f"{name}: not a readable Parquet file"):
        list(release.listing("train"))


def test_listing_a_label_without_a_class_names_its_row(tmp_path):
    manifest = write_release(tmp_path, tmp_path / "pictures")
    write_manifest(tmp_path, dataclasses.replace(manifest, classes=CLASSES[:1]))
    with pytest.raises(PatchFormatError, match=r"row 1 \(train_0_1\): label; found 1; allowed: 0 to 0"):
        list(open_release(Folder(tmp_path)).listing("train"))


def test_files_of_a_split_can_be_deleted_after_it_was_forgotten(either):
    root = either.location.root
    for name in (*either.files("train"), *either.forget(["train"])):
        (root / name).unlink()
    rest = open_release(Folder(root))
    assert list(rest.splits) == ["validation"]
    assert rest.count("validation") == either.count("validation")
    assert rest.fingerprint("validation") == either.fingerprint("validation")


def test_forgetting_all_splits_takes_the_manifest_along(tmp_path):
    write_release(tmp_path, tmp_path / "pictures", splits=("train", "validation"))
    release = open_release(Folder(tmp_path))
    assert release.forget(["train", "validation"]) == [MANIFEST]
    assert read_manifest(tmp_path) == release.manifest  # until it is deleted


@pytest.mark.parametrize("asked", [None, ["validation", "train"], "train"])
def test_splits_come_in_the_order_of_the_release(either, asked):
    assert either.chosen(asked) == (["train"] if asked == "train" else ["train", "validation"])


@pytest.mark.parametrize(("asked", "says"), [([], "names no split"), (["test"], r"no such split; found \['test'\]")])
def test_other_splits_are_refused(either, asked, says):
    with pytest.raises(ConfigurationError, match=says):
        either.chosen(asked)


@needs_sample
def test_classes_that_a_release_does_not_name_are_those_of_imagenet(tmp_path):
    old = open_release(Folder(SAMPLE / "hub"))
    assert old.classes is None
    assert old.class_names == class_names()
    assert old.class_folders == [one.wnid for one in imagenet_classes()]
    write_release(tmp_path, tmp_path / "pictures")
    new = open_release(Folder(tmp_path))
    assert [*new.classes] == new.class_names == new.class_folders == list(CLASSES)
