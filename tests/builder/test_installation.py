"""Machines on which something is not as usual: folders that cannot be written."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builder.user import User, needs_scripts
from tests.local_hub.state import Hub
from tests.published import FORNET, ROOT


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The package in a folder like site-packages, in which nobody may write."""
    folder = tmp_path / "prefix" / "site-packages"
    shutil.copytree(ROOT / "fornet_hf", folder / "fornet_hf", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "ForNet.py", folder)
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o555)
    yield folder
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o700)


def _bound_by_permissions() -> list[str]:
    """What to put before a command so that even the super-user may not write everywhere."""
    if os.getuid() != 0:
        return []
    tool = shutil.which("setpriv")
    return [tool, "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if tool else []


@pytest.mark.skipif(
    not hasattr(os, "getuid") or (os.getuid() == 0 and not _bound_by_permissions()),
    reason="root may write everywhere",
)
def test_the_packages_need_not_be_writable(alice: User, installed: Path, published: Hub) -> None:
    environment = alice.environment()
    fence = environment["PYTHONPATH"].split(os.pathsep)[0]
    environment |= {"PYTHONPATH": os.pathsep.join([fence, str(installed)]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*_bound_by_permissions(), sys.executable, "-c"]

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, code], cwd=alice.home, env=environment, text=True, capture_output=True, check=False
        )

    assert "PermissionError" in run(f"open({str(installed / 'x')!r}, 'w')").stderr
    done = run(f'import fornet_hf; print(len(fornet_hf.load_dataset("{FORNET}", split="train")), fornet_hf.__file__)')
    assert done.stdout.split() == ["12", str(installed / "fornet_hf/__init__.py")], done.stderr


@needs_scripts
def test_a_copy_of_the_script_that_a_full_disk_cut_short_is_made_again(alice: User) -> None:
    first = alice.load(split="validation")
    (copy,) = alice.home.rglob("datasets_modules/datasets/ForNet/*/ForNet.py")
    copy.write_bytes(b"")
    assert alice.load(split="validation") == first
