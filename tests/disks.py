"""Small and read-only disks for processes of tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

_ALONE = ("unshare", "-Urm", "sh", "-c")  # mounts are seen by this process and its children only


def _may_mount() -> bool:
    command = [*_ALONE, "mount -t tmpfs -o size=64k none /mnt"]
    return (
        shutil.which("unshare") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


needs_disks = pytest.mark.skipif(not _may_mount(), reason="no right to mount a small disk")


def on_a_disk(
    folder: Path, options: str, command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command for which a folder is an empty disk with these options: `size=32k`, `ro`."""
    folder.mkdir(parents=True, exist_ok=True)
    script = f'mount -t tmpfs -o {options} none "{folder}" && exec "$@"'
    words = [*_ALONE, script, "sh", *command]
    return subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)


def read_only(
    folder: Path, command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command for which a folder, with all that it holds, cannot be written."""
    script = f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}" && exec "$@"'
    words = [*_ALONE, script, "sh", *command]
    return subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)
