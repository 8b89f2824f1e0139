"""The README does what it says: every block of code runs, every command is there."""

from __future__ import annotations

import re
import subprocess
import sys

import datasets
import pytest

from tests.blocks import ROOT, blocks, commands
from tests.local_hub.client import run_python
from tests.reader import surroundings

HOME = "https://huggingface.co/datasets/TNauen/ForNet"
PYTHON = blocks("README.md", "python")
SHIM = "from tests.torchvision_shim import import_torchvision; import_torchvision()\n"
OLD = int(datasets.__version__.split(".")[0]) < 4


@pytest.fixture(scope="module")
def reader(tmp_path_factory, demo):
    with surroundings(tmp_path_factory.mktemp("reader"), demo) as place:
        yield place


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_every_python_block_runs(block, reader):
    folder, environment = reader
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


def test_links_lead_to_files_of_the_repository_from_wherever_the_page_is_shown():
    """A package index knows no files beside the page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [target for target in targets if not target.startswith("https://")] == []
    ours = [target.removeprefix(HOME) for target in targets if target.startswith(HOME)]
    files = [re.fullmatch(r"/(?:resolve|blob)/main/([^#]*)(?:#.*)?", target) for target in ours]
    assert len(files) >= 4
    assert [
        target for target, file in zip(ours, files, strict=True) if not (file and (ROOT / file[1]).is_file())
    ] == []
    assert all(file[0].startswith("/resolve/") for file in files if file[1].endswith(".jpg"))
