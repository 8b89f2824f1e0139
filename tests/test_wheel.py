"""The wheel: it holds what an installation needs, the demo runs from it, an index can show what it says of itself."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest

from tests.blocks import ROOT
from tests.hidden import only, required

pytest.importorskip("hatchling")  # once is enough


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_demo_runs_from_it(unpacked, tmp_path):
    environment = only(set(required("build/requirements-demo.txt")))
    environment["PYTHONPATH"] += f":{unpacked}"
    command = [sys.executable, "-c", "import fornet_hf.cli as c; print(c.__file__); c.main(['demo', '--out', 'out'])"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert str(unpacked) in done.stdout, done.stderr
    assert "35 of 35 backgrounds, bit for bit" in done.stdout, done.stderr
    assert (tmp_path / "out" / "contact_sheet.png").is_file()


def test_it_holds_the_scripts_and_no_leftovers(unpacked):
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    wanted = {f"fornet_hf/{path.relative_to(ROOT)}" for path in (ROOT / "build").rglob("*.py")}
    assert wanted <= files
    assert {"ForNet.py", "fornet_hf/data/imagenet_classes.tsv", "fornet_hf/py.typed"} <= files
    assert {f"fornet_hf/evaluation/report/page.{kind}" for kind in ("css", "js")} <= files
    assert [file for file in files if "__pycache__" in file or file.startswith("tests")] == []


def test_its_metadata_tell_who_what_and_where(unpacked):
    (path,) = unpacked.glob("*.dist-info/METADATA")
    metadata = Parser().parsestr(path.read_text(encoding="utf-8"))
    assert metadata["Author"] == "The ForNet developers"
    places = [line.partition(",")[0] for line in metadata.get_all("Project-URL", [])]
    assert {"Homepage", "Source", "Documentation", "Paper"} <= set(places)
    known = pytest.importorskip("trove_classifiers").classifiers
    assert len(metadata.get_all("Classifier", [])) >= 5
    assert [name for name in metadata.get_all("Classifier", []) if name not in known] == []
