"""The README does what it says: every block of code runs, every command is there."""

from __future__ import annotations

import shutil
import subprocess
import sys

import datasets
import pytest

from tests.blocks import ROOT, blocks, commands
from tests.hub.client import hub_environment, run_python
from tests.hub.server import running_hub
from tests.published import IMAGENET, SHARDS, WNIDS, key_of, publish_release, publish_source, source_of, write_release

PYTHON = blocks("README.md", "python")
SHIM = "from tests.torchvision_shim import import_torchvision; import_torchvision()\n"
OLD = int(datasets.__version__.split(".")[0]) < 4


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory, demo):
    """A folder as a reader may have it, and a Hub with ForNet and ImageNet on it."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(demo, folder / "demo", symlinks=True)
    for split, name in (("train", "train"), ("validation", "val")):
        for number in range(5 * SHARDS[split]):
            path = folder / "imagenet" / name / WNIDS[number % 2] / f"{key_of(split, number)}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source_of(split, number))
    with running_hub() as hub:
        write_release(folder / "release", publish_source(hub))
        publish_release(hub, folder / "release")
        token = hub.add_user("reader")
        hub.gate(IMAGENET, allow={"reader"})
        yield folder, hub_environment(hub.url, folder / "home", token)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_every_python_block_runs(block, surroundings):
    folder, environment = surroundings
    needs_torch = "torch" in block.code
    if needs_torch:
        pytest.importorskip("torch")
    if "trust_remote_code" in block.code and not OLD:
        pytest.skip("datasets runs scripts up to 3.6 only")
    finished = run_python((SHIM if needs_torch else "") + block.code, environment, cwd=folder)
    assert finished.returncode == 0, finished.stderr


def test_runnable_code_stands_near_the_top():
    assert PYTHON[0].line < 40


def test_every_make_target_is_there():
    for command in [line for block in blocks("README.md", "console") for line in commands(block)]:
        if command.startswith("make "):
            subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True)
        else:
            assert command.startswith(("pip install", "GIT_LFS_SKIP_SMUDGE=1 pip install"))


def test_every_script_is_there_and_explains_itself():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python build/create_patches.py --help" in text
    command = [sys.executable, "build/create_patches.py", "--help"]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout


def test_links_lead_to_files():
    for target in ("docs/images/contact_sheet.jpg", "docs/patch_format.md"):
        assert target in (ROOT / "README.md").read_text(encoding="utf-8")
        assert (ROOT / target).is_file()
