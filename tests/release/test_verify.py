"""Checking releases that are published, and telling what is in them."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import HfApi

from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.hub.location import Place, place_of
from fornet_hf.release.info import info, lines
from fornet_hf.release.verify import verify
from tests.local_hub.faults import Fault
from tests.local_hub.fixtures import hub, hub_home, uploads
from tests.publish.conftest import NAME, release, run

__all__ = ["hub", "hub_home", "release", "run"]
pytestmark = uploads


@pytest.fixture
def published(run, hub, release):
    """The place of a release on the Hub, read without a token."""
    assert run(release.patches) == 0
    return Place.of_repository(HfApi(endpoint=hub.url, token=False), NAME, hub.head(NAME))


def alter(hub, path, change):
    """Change a file on the Hub; the new place."""
    files = hub.files(NAME)
    hub.commit(NAME, {path: change(files[path])})
    return Place.of_repository(HfApi(endpoint=hub.url, token=False), NAME, hub.head(NAME))


def flip(data):
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


def problems(place, **options):
    return [str(problem) for problem in verify(place, **options).problems]


def test_a_sound_release_passes_and_little_is_downloaded(published, hub):
    hub.forget()
    verdict = verify(published)
    assert (verdict.problems, verdict.shards, verdict.rows, verdict.keys, verdict.read) == ((), 4, 12, 12, False)
    assert place_of(NAME).name == published.name


def test_every_row_is_read_on_demand(published, release):
    verdict = verify(published, download=True, imagenet_dir=release.imagenet, sample=1)
    assert (verdict.problems, verdict.read, verdict.applied) == ((), True, 4)


def test_an_altered_shard_is_named(published, hub):
    path = "patches/train-00001-of-00003.parquet"
    (problem,) = problems(alter(hub, path, flip))
    assert problem.startswith("train-00001-of-00003.parquet: not the file that the manifest describes")
    assert problem.endswith(
        "Tell the maintainer of the release. If that is you: publish it again, which checks it first."
    )


def test_bits_that_flip_on_the_way_are_noticed(published, hub):
    hub.inject(Fault("flip", "train-00001", after=200, times=None))
    assert any("train-00001-of-00003.parquet" in text for text in problems(published, download=True))


def test_a_missing_shard_is_named(published, hub):
    hub.commit(NAME, {}, delete=["patches/train-00002-of-00003.parquet"])
    place = Place.of_repository(HfApi(endpoint=hub.url, token=False), NAME, hub.head(NAME))
    assert problems(place) == [
        f"patches/train-00002-of-00003.parquet: the file is missing; found no such file in {place.name}"
    ]


def test_a_spoiled_card_and_a_missing_script_are_named(published, hub):
    hub.commit(NAME, {"README.md": b"# no header"}, delete=["ForNet.py"])
    found = problems(Place.of_repository(HfApi(endpoint=hub.url, token=False), NAME, hub.head(NAME)))
    assert len(found) == 2
    assert "ForNet.py: the file is missing" in found[0]
    assert "no YAML header" in found[1]


def test_a_folder_is_read_whole(release):
    verdict = verify(Place.of_folder(release.patches), imagenet_dir=release.imagenet)
    assert (verdict.problems, verdict.read, verdict.applied) == ((), True, 12)
    release.shard(0).write_bytes(flip(release.shard(0).read_bytes()))
    (problem,) = problems(Place.of_folder(release.patches))
    assert "train-00000-of-00003.parquet" in problem


def test_a_release_that_changes_meanwhile_is_read_as_it_was(published, hub):
    hub.commit(NAME, {}, delete=["patches/train-00002-of-00003.parquet"])
    assert verify(published).problems == ()


def test_places_that_are_none_are_explained(hub_home, tmp_path):
    with pytest.raises(ConfigurationError, match="no such folder or repository"):
        place_of("nothing")
    with pytest.raises(ConfigurationError, match="a folder has no revision"):
        place_of(str(tmp_path), "main")
    with pytest.raises(NotFoundError, match="no such repository"):
        place_of("nobody/nothing")
    with pytest.raises(NotFoundError, match=r"no release of patches; found no manifest\.json"):
        verify(Place.of_folder(tmp_path))


def test_info_tells_the_same_of_folder_and_repository(published, release, hub):
    there, here = info(published), info(Place.of_folder(release.patches))
    assert {**there, "place": ""} == {**here, "place": ""}
    assert there["splits"]["train"]["rows"] == 9
    assert there["splits"]["train"]["foregrounds"] == 9
    assert (there["classes"], there["source"]) == (2, "pictures")
    json.dumps(there)
    text = "\n".join(lines(there))
    assert "train            3 shards, 9 rows, 9 foregrounds, 9 backgrounds, 2 classes, " in text
    assert "source_revision  not recorded" in text


def test_info_needs_no_statistics(release):
    assert info(Place.of_folder(release.patches))["splits"]["train"]["rows"] == 9


def test_info_knows_old_releases(hub, hub_home):
    hub.commit(NAME, {"train_0.zip": b"12", "train_1.zip": b"345", "val.zip": b"6", "other.zip": b"7"})
    about = info(place_of(NAME))
    assert about["format"] == "old (zips of pickles)"
    assert about["splits"] == {"train": {"archives": 2, "bytes": 5}, "validation": {"archives": 1, "bytes": 1}}
    assert "train            2 archives, 5 bytes" in lines(about)


def test_info_names_the_archives_that_an_old_release_lacks(hub, hub_home):
    hub.commit(NAME, {"train_0.zip": b"12", "train_2.zip": b"345", "val.zip": b"6"})
    (problem,) = info(place_of(NAME))["problems"]
    assert "train_1.zip" in problem
