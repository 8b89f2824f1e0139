"""The manifest of a release."""

import dataclasses
import json

import pytest

from fornet_hf.errors import IntegrityError, NotFoundError, PatchFormatError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import Manifest, ShardEntry, read_manifest, write_manifest

ENTRY = ShardEntry(
    path="train-00000-of-00001.parquet", rows=3, bytes=10, sha256="0" * 64, source="data/train.parquet"
)
MANIFEST = Manifest(
    encoding=Encoding(),
    splits={"train": (ENTRY,), "validation": ()},
    source_revision="abc",
    classes=("ant", "bee"),
    producer={"segmenter": "GrabCut", "versions": {"opencv": "5.0"}},
)


@pytest.mark.parametrize("manifest", [MANIFEST, Manifest(encoding=Encoding(max_side=64), splits={"train": ()})])
def test_a_written_manifest_is_read_back(tmp_path, manifest):
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_equal_manifests_are_equal_files(tmp_path):
    write_manifest(tmp_path / "a", MANIFEST)
    write_manifest(tmp_path / "b", read_manifest(tmp_path / "a"))
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_without_a_manifest_the_folder_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=str(tmp_path)):
        read_manifest(tmp_path)


def test_an_entry_verifies_the_file_it_was_made_of(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"content")
    entry = ShardEntry.of(tmp_path, "a.parquet", 1)
    assert entry.bytes == 7
    entry.verify(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"kontent")
    with pytest.raises(IntegrityError, match=r"a\.parquet.*sha256.*Download"):
        entry.verify(tmp_path / "a.parquet")
    with pytest.raises(NotFoundError, match=r"a\.parquet"):
        entry.verify(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "/a",
        "a\\b",
        "https://host/a",
        "a/../b",
        "",
        ".",
        "./a",
        "a/.b",
        "a//b",
        "a/",
        "a b",
        "a\0",
        "a\n",
        "é",
        5,
        None,
        "a" * 201,
    ],
    ids=repr,
)
def test_paths_stay_in_the_folder(path):
    with pytest.raises(PatchFormatError, match="path is not allowed"):
        dataclasses.replace(ENTRY, path=path)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": -1},
        {"rows": 1.0},
        {"rows": True},
        {"bytes": "7"},
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"sha256": None},
        {"source": "../x"},
    ],
    ids=str,
)
def test_other_entries_are_refused(changes):
    with pytest.raises(PatchFormatError):
        dataclasses.replace(ENTRY, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"splits": {}},
        {"splits": {"test": ()}},
        {"splits": {"train": (ENTRY,), "validation": (ENTRY,)}},
        {"classes": ("a", "a")},
        {"classes": ("a/b",)},
        {"classes": ("..",)},
        {"classes": ("\ud800",)},
        {"classes": ("",)},
    ],
    ids=str,
)
def test_other_manifests_are_refused(changes):
    with pytest.raises(PatchFormatError):
        dataclasses.replace(MANIFEST, **changes)
