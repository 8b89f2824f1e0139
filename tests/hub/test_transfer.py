"""Files of the Hub's cache: which they are, and whether they are whole."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from fornet_hf.hub.transfer import CachedFile, cached_file, is_whole, snapshot_commit

COMMIT = "0123456789" * 4


def test_a_path_in_the_cache_tells_its_repository_commit_and_path() -> None:
    cache = Path("/home/datasets--a--b/snapshots/hub")
    file = cache / "datasets--TNauen--For-Net.2" / "snapshots" / COMMIT / "patches" / "manifest.json"
    assert cached_file(file) == CachedFile(cache, "TNauen/For-Net.2", COMMIT, "patches/manifest.json")


@pytest.mark.parametrize("path", ["/data/manifest.json", f"/hub/models--a--b/snapshots/{COMMIT}/x", "x.parquet"])
def test_other_paths_are_not_in_the_cache(path: str) -> None:
    assert cached_file(Path(path)) is None


@pytest.mark.parametrize("above", ["/home/me", "/snapshots/daily", f"/snapshots/{COMMIT[::-1]}/x"])
def test_the_commit_of_a_file_wherever_the_cache_is(above: str) -> None:
    assert snapshot_commit(Path(above) / "hub/datasets--a--b/snapshots" / COMMIT / "patches/manifest.json") == COMMIT
    assert snapshot_commit(Path(above) / "manifest.json") is None


@pytest.mark.parametrize("data", [b"", b"{}\n", bytes(range(256)) * 5000], ids=len)
def test_a_file_is_compared_with_the_digest_that_it_is_named_by(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "data").write_bytes(data)
    git = subprocess.run(
        ["git", "hash-object", "--no-filters", "data"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for name in (git.stdout.strip(), hashlib.sha256(data).hexdigest()):
        (tmp_path / name).write_bytes(data)
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(name)
        assert is_whole(tmp_path / "link")
        (tmp_path / name).write_bytes(data + b"x")
        assert not is_whole(tmp_path / "link")


def test_what_has_no_digest_for_a_name_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"{}")
    assert is_whole(tmp_path / "manifest.json")
