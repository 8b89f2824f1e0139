"""A disk that is full: said as such, whatever was being written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.state import Hub
from tests.loading.user import User
from tests.published import FORNET

LOAD = f"""
import traceback, fornet_hf
try:
    fornet_hf.load_dataset("{FORNET}", split="train", num_proc=%s, cache_dir="%s")
except Exception as error:
    print(type(error).__name__, error)
"""


def _small_disks() -> bool:
    """Whether this user may mount a small file system, in a name space of its own."""
    tool = shutil.which("unshare")
    command = [tool, "-Urm", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]
    return tool is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _small_disks(), reason="no right to mount a small disk")
@pytest.mark.parametrize("what", ["download", "one worker", "two workers"])
def test_a_full_disk_is_named(alice: User, published: Hub, tmp_path: Path, what: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    environment = alice.environment()
    if what == "download":
        environment |= {"HF_HUB_CACHE": str(small)}
    cache = tmp_path / "prepared" if what == "download" else small
    code = LOAD % (2 if what == "two workers" else 1, cache)
    size = "16k" if what == "download" else "32k"
    script = f'mount -t tmpfs -o size={size} none "{small}" && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, sys.executable, code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("StorageError the disk is full; found "), done.stdout + done.stderr
    assert "Free some space, or use another disk: HF_HOME for downloads, cache_dir=" in done.stdout
