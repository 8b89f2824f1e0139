"""Disks that are full or cannot be written: said as such, whatever was being written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builder.user import User
from tests.disks import needs_disks, on_a_disk, read_only
from tests.local_hub.state import Hub
from tests.published import FORNET

pytestmark = needs_disks
ADVICE = "use another disk: HF_HOME for downloads, cache_dir= for the prepared dataset."
LOAD = f"""
import fornet_hf
try:
    rows = fornet_hf.load_dataset("{FORNET}", split="train", num_proc=%s, cache_dir=%r)
    print("loaded", len(rows), rows[0]["label"])
except Exception as error:
    print(type(error).__name__, error)
"""


def command(workers: int = 1, cache: Path | None = None) -> list[str]:
    return [sys.executable, "-c", LOAD % (workers, cache and str(cache))]


@pytest.mark.parametrize("what", ["download", "one worker", "two workers"])
def test_a_full_disk_is_named(alice: User, published: Hub, tmp_path: Path, what: str) -> None:
    small = tmp_path / "small"
    environment = alice.environment()
    if what == "download":
        environment |= {"HF_HUB_CACHE": str(small)}
    cache = tmp_path / "prepared" if what == "download" else small
    size = "16k" if what == "download" else "32k"
    done = on_a_disk(small, f"size={size}", command(2 if what == "two workers" else 1, cache), environment)
    assert done.stdout.startswith(f"StorageError the disk is full; found {small}"), done.stdout + done.stderr
    assert f"Free some space, or {ADVICE}" in done.stdout


@pytest.mark.parametrize("size", ["4k", "48k", "100k", "150k"])
def test_a_nearly_full_disk_for_everything_is_named(alice: User, size: str) -> None:
    home = alice.home / "huggingface"
    done = on_a_disk(home, f"size={size}", command(), alice.environment())
    assert done.stdout.startswith(f"StorageError the disk is full; found {home}"), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_without_a_free_byte_is_named(alice: User) -> None:
    """Where `datasets` looks before it begins, and raises an error without a number."""
    full = "import datasets; datasets.builder.has_sufficient_disk_space = lambda *_, **__: False\n"
    script = full + command()[-1]
    done = subprocess.run(
        [sys.executable, "-c", script], env=alice.environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith(f"StorageError the disk is full; found {alice.home}"), done.stdout + done.stderr
    assert f"Free some space, or {ADVICE}" in done.stdout


def test_a_disk_that_cannot_be_written_is_named(alice: User) -> None:
    home = alice.home / "huggingface"
    done = on_a_disk(home, "ro", command(), alice.environment())
    assert done.stdout.startswith(f"StorageError this cannot be written; found {home}"), done.stdout + done.stderr
    assert f"Let this user write here, or {ADVICE}" in done.stdout


def test_what_is_prepared_needs_no_writing(alice: User) -> None:
    assert len(alice.load(split="train")) == 12
    done = read_only(alice.home / "huggingface", command(), alice.environment())
    assert done.stdout.startswith("loaded 12 0"), done.stdout + done.stderr
