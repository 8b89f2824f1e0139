"""Hostile manifests: a typed error that names the place, and never a wrong row."""

from __future__ import annotations

import pytest

from fornet_hf.errors import (
    PatchFormatError,
)
from fornet_hf.files import MAX_DOCUMENT_BYTES
from fornet_hf.hub.location import Folder, Place
from fornet_hf.release.info import info
from fornet_hf.release.release import open_release
from fornet_hf.release.verify import verify
from tests.hostile.attacked import SHARD, refused


def entry(**changes):
    return lambda value: value["splits"]["train"][0].update(changes)


def top(**changes):
    return lambda value: value.update(changes)


MANIFESTS = {
    "path up": (entry(path="../train.parquet"), "path"),
    "path absolute": (entry(path="/etc/passwd"), "path"),
    "path with backslash": (entry(path="a\\b"), "path"),
    "path url": (entry(path="https://host/x.parquet"), "path"),
    "path hidden": (entry(path=".git/config"), "path"),
    "path long": (entry(path="a" * 5000), "path"),
    "path with NUL": (entry(path="a\0b"), "path"),
    "path of no text": (entry(path=7), "path"),
    "source up": (entry(source="../../x.parquet"), "source"),
    "rows wrong": (entry(rows=2), "rows"),
    "rows negative": (entry(rows=-3), "rows"),
    "rows text": (entry(rows="3"), "rows"),
    "digest short": (entry(sha256="abc"), "sha256"),
    "entry with more": (entry(command="rm"), "wrong type"),
    "entry a list": (lambda value: value["splits"].update(train=[[1, 2]]), "wrong type"),
    "shard twice": (lambda value: value["splits"].update(validation=value["splits"]["train"]), "twice"),
    "splits empty": (top(splits={}), "splits"),
    "splits unknown": (top(splits={"test": []}), "splits"),
    "splits a list": (top(splits=[]), "wrong type"),
    "classes twice": (top(classes=["ant", "ant"]), "twice"),
    "classes text": (top(classes="ant"), "wrong type"),
    "classes numbers": (top(classes=[1, 2]), "wrong type"),
    "class that is a path": (top(classes=["ant", "../bee"]), "class"),
    "class with half a character": (top(classes=["ant", "\ud800"]), "class"),
    "format other": (top(format="parquet"), "no manifest"),
    "format version": (top(format_version=2), "unknown format version; found 2; allowed: 1"),
    "format version text": (top(format_version="1"), "unknown format version"),
    "name more": (top(post_install="rm"), "post_install"),
    "name less": (lambda value: value.pop("encoding"), "encoding"),
    "encoding quality": (lambda value: value["encoding"].update(quality=10), "encoding.quality"),
    "encoding side": (lambda value: value["encoding"].update(max_side=10**9), "encoding.max_side"),
    "encoding nan": (lambda value: value["encoding"].update(dilation=float("nan")), "encoding.dilation"),
    "encoding null": (top(encoding=None), "encoding"),
    "producer text": (top(producer="me"), "wrong type"),
}


READERS = {
    "load": lambda folder: open_release(Folder(folder)),
    "info": lambda folder: info(Place.of_folder(folder)),
    "verify": lambda folder: verify(Place.of_folder(folder)),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_reads_more_of_a_manifest_than_the_limit(attacked, reader):
    with (attacked.folder / "manifest.json").open("r+b") as file:
        file.truncate(2**34)  # a sparse file: it takes no room on the disk, and would take 16 GiB of memory
    with pytest.raises(PatchFormatError, match=rf"manifest\.json: too large; .* allowed: {MAX_DOCUMENT_BYTES} bytes"):
        READERS[reader](attacked.folder)


def test_statistics_and_card_have_the_limit_too(attacked):
    with (attacked.folder / "statistics.json").open("wb") as file:
        file.truncate(2**34)
    with pytest.raises(PatchFormatError, match=r"statistics\.json: too large"):
        info(Place.of_folder(attacked.folder))


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(attacked, name):
    change, says = MANIFESTS[name]
    attacked.manifest(change)
    refused(attacked, PatchFormatError, says, SHARD if name == "rows wrong" else "manifest.json")


TEXTS = {
    "empty": b"",
    "cut": b'{"format": "fornet-patches", "form',
    "nested deep": b"[" * 10**6,
    "not UTF-8": b'{"format": "\xff"}',
    "number of 5000 digits": b'{"format": ' + b"9" * 5000 + b"}",
    "list": b"[]",
    "null": b"null",
    "17 MB": b" " * (17 * 2**20),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_for_a_manifest(attacked, name):
    (attacked.folder / "manifest.json").write_bytes(TEXTS[name])
    refused(attacked, PatchFormatError, "manifest.json")
