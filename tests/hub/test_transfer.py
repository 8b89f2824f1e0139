"""What paths in the Hub's cache tell."""

from pathlib import Path

import pytest

from fornet_hf.hub.transfer import snapshot_commit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("above", ["/home/me", "/snapshots/daily", f"/snapshots/{COMMIT[::-1]}/x"])
def test_the_commit_of_a_file_wherever_the_cache_is(above):
    cached = Path(above) / "hub/datasets--a--b/snapshots" / COMMIT / "patches/manifest.json"
    assert snapshot_commit(cached) == COMMIT


@pytest.mark.parametrize("path", ["/home/me/patches/manifest.json", "/snapshots/daily/manifest.json"])
def test_other_files_have_none(path):
    assert snapshot_commit(Path(path)) is None
