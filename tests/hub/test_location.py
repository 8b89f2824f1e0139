"""Places: names that are none are refused before anything is asked, and files of both kinds are looked at alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi

from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.files import git_blob_id, sha256_of
from fornet_hf.hub.location import Place, Repository, is_name, locate
from tests.local_hub.state import Hub

NO_NAMES = [
    *("-a/b", "a/-b", "a/b-", ".a/b", "a/b.", "x..y/z", "x/y--z", "a/b.git", "a/" + "b" * 97),
    *("ForNet", "a/b/c", "../patches", "my images", "a/b c", "a/", "/b", "a/b\n", "ä/b"),
]


@pytest.mark.parametrize("name", NO_NAMES)
def test_no_repository_has_a_name_against_the_rules(name):
    with pytest.raises(ConfigurationError, match="this cannot be the name of a repository"):
        Repository(name)
    with pytest.raises(ConfigurationError, match="no such folder or repository"):
        locate(name)


@pytest.mark.parametrize("name", ["TNauen/ForNet", "ILSVRC/imagenet-1k", "a/b", "A_1.x/B-2_y", "a/" + "b" * 96])
def test_names_by_the_rules_are_taken(name):
    assert is_name(name)
    assert locate(f"{name}@refs/pr/1") == Repository(name, "refs/pr/1")


@pytest.mark.parametrize("revision", ["../up", "a/../b", "/etc", "a b", "a\nb", "-x", ".x", ""])
def test_no_revision_leads_elsewhere(revision):
    with pytest.raises(ConfigurationError, match="this cannot be a revision of a/b"):
        Repository("a/b", revision)


FILES = {"patches/a.parquet": b"PAR1" * 9, "README.md": b"card"}


def test_files_of_a_folder_and_of_a_repository_are_looked_at_alike(hub: Hub, hub_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    for path, data in {**FILES, ".git/config": b"", "patches/.hidden": b""}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    hub.create_repo("a/b")
    there = Place.of_repository(HfApi(endpoint=hub.url, token=False), "a/b", hub.commit("a/b", FILES))
    here = Place.of_folder(folder)
    assert dict(here.paths) == {path: len(data) for path, data in FILES.items()}
    assert {path: size for path, size in there.paths.items() if path != ".gitattributes"} == dict(here.paths)
    for place in (here, there):
        for path, data in FILES.items():
            with place.open(path) as file:
                assert file.read() == data
        assert place.facts("patches/a.parquet").digest == sha256_of(folder / "patches/a.parquet")
        with pytest.raises(NotFoundError, match=r"none\.txt: the file is missing; found no (such )?file"):
            place.facts("none.txt")
    assert there.facts("README.md").digest == git_blob_id(b"card")
