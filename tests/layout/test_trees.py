"""Files in folders and zips."""

from __future__ import annotations

import zipfile

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError
from fornet_hf.layout.paths import Layout, splits_in
from fornet_hf.layout.trees import ZipTree, open_tree


def write(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)


def test_members_are_sorted_and_read(tmp_path):
    path = tmp_path / "foregrounds_train.zip"
    members = [("train/foregrounds/b/1.WEBP", b"one"), ("train/foregrounds/a/2.WEBP", b""), ("a/1.WEBP", b"x" * 900)]
    write(path, [("train/", b""), *members, ("a/notes.txt", b"no"), ("a/.1.WEBP", b"no")])
    tree = open_tree(Layout(tmp_path, "train"), "foregrounds")
    assert [tree.entries.name(index) for index in range(len(tree.entries))] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert [tree.read(index) for index in range(3)] == [b"x" * 900, b"", b"one"]


def test_a_long_extra_field_is_passed_over(tmp_path):
    info = zipfile.ZipInfo("a/1.WEBP")
    info.extra = b"\x99\x99\xe0\x01" + bytes(480)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        file.writestr(info, b"one")
    assert ZipTree(tmp_path / "z.zip", ".WEBP").read(0) == b"one"


def test_a_compressed_zip_is_refused(tmp_path):
    write(tmp_path / "z.zip", [("a/1.WEBP", b"one")], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(PatchFormatError, match=r"a member is compressed; found a/1.WEBP.*fornet pack"):
        ZipTree(tmp_path / "z.zip", ".WEBP")


def test_members_of_one_name_are_refused(tmp_path):
    write(tmp_path / "z.zip", [("a/1.WEBP", b"one"), ("x/a/1.WEBP", b"one")])
    with pytest.raises(PatchFormatError, match="two members of one name; found a/1"):
        ZipTree(tmp_path / "z.zip", ".WEBP")


def test_a_zip_that_is_cut_off_is_named(tmp_path):
    write(tmp_path / "z.zip", [("a/1.WEBP", b"one" * 100)])
    data = (tmp_path / "z.zip").read_bytes()
    (tmp_path / "z.zip").write_bytes(data[:-30])
    with pytest.raises(PatchFormatError, match="damaged or cut off"):
        ZipTree(tmp_path / "z.zip", ".WEBP")
    with pytest.raises(NotFoundError):
        ZipTree(tmp_path / "other.zip", ".WEBP")


def test_a_zip_that_was_written_anew_is_noticed(tmp_path):
    path = tmp_path / "z.zip"
    write(path, [("a/1.WEBP", b"one"), ("a/2.WEBP", b"two")])
    tree = ZipTree(path, ".WEBP")
    write(path, [("a/0.WEBP", b"zero" * 99)])
    with pytest.raises(PatchFormatError, match="not where it was"):
        tree.read(1)


def test_splits_are_found(tmp_path):
    assert splits_in(tmp_path) == []
    (tmp_path / "val/foregrounds").mkdir(parents=True)
    (tmp_path / "foregrounds_train.zip").touch()
    assert splits_in(tmp_path) == ["train", "validation"]
    with pytest.raises(ConfigurationError, match="test"):
        Layout(tmp_path, "test")
