"""Repositories that cannot be or are not there, in a manifest too: our own errors, streaming or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fornet_hf import load_dataset
from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError
from tests.local_hub.state import Hub
from tests.published import FORNET, IMAGENET

NOBODY = "0" * 40
SHARD = "train-00001-of-00003.parquet"
streaming = pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "prepared"])


def failure(folder: Path, **keywords: Any) -> ForNetError:
    """What loading, and reading all rows, ends with."""
    with pytest.raises(ForNetError) as caught:
        list(load_dataset(**{"path": FORNET, "split": "train", "cache_dir": folder, **keywords}))
    return caught.value


def rewrite(hub: Hub, **changes: str) -> None:
    """Publish the manifest with other values."""
    manifest = json.loads(hub.files(FORNET)["patches/manifest.json"])
    hub.commit(FORNET, {"patches/manifest.json": json.dumps({**manifest, **changes}).encode()})


@streaming
@pytest.mark.parametrize("door", ["path", "patches", "imagenet_repo"])
def test_a_name_that_is_none(here: Path, published: Hub, door: str, streaming: bool) -> None:
    error = failure(here, **{door: "x..y/z"}, streaming=streaming)
    assert isinstance(error, ConfigurationError)
    assert str(error).startswith("no such folder or repository; found 'x..y/z")
    assert published.requests == [] or door == "imagenet_repo"


@streaming
@pytest.mark.parametrize(
    "change",
    [{"source": "-a/b"}, {"source": "../../etc"}, {"source": "my images"}, {"source_revision": "../../up"}],
)
def test_a_manifest_that_names_what_cannot_be(here: Path, published: Hub, change: dict, streaming: bool) -> None:
    rewrite(published, **change)
    error = failure(here, streaming=streaming)
    assert isinstance(error, ConfigurationError)
    assert f"found {next(iter(change.values()))!r}" in str(error)


@streaming
@pytest.mark.parametrize("door", ["path", "patches", "imagenet_repo"])
@pytest.mark.parametrize(
    ("name", "words"),
    [("TNauen/Nothing", "there is no dataset TNauen/Nothing that you can see"), (f"{FORNET}@v9", "no revision 'v9'")],
    ids=["repository", "revision"],
)
def test_what_is_not_there(here: Path, published: Hub, door: str, name: str, words: str, streaming: bool) -> None:
    error = failure(here, **{door: name}, streaming=streaming)
    assert isinstance(error, NotFoundError)
    assert words in str(error)


@streaming
def test_a_manifest_that_names_what_is_not_there(here: Path, published: Hub, streaming: bool) -> None:
    rewrite(published, source="TNauen/Nothing")
    assert isinstance(failure(here, streaming=streaming), NotFoundError)


@streaming
@pytest.mark.parametrize("what", ["patches", "data"])
def test_a_shard_that_is_not_there(here: Path, published: Hub, what: str, streaming: bool) -> None:
    if what == "data":
        rewrite(published, source_revision=published.commit(IMAGENET, {}, delete=[f"data/{SHARD}"]))
    else:
        published.commit(FORNET, {}, delete=[f"patches/{SHARD}"])
    error = failure(here, streaming=streaming)
    assert isinstance(error, NotFoundError)
    assert f"has no file {what}/{SHARD}. See http" in str(error)
