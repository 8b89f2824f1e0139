"""The Space's requirements are those of the library, and it is tested with the gradio that it asks for."""

from __future__ import annotations

import re

import pytest

from tests.blocks import ROOT
from tests.hidden import canonical, required

SPACE = ROOT / "examples" / "space"


def header() -> dict[str, str]:
    """The values of the Space's card."""
    text = (SPACE / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    return dict(line.split(": ", 1) for line in text.splitlines())


def test_the_card_names_an_app_that_is_there_and_the_gradio_that_is_tested():
    assert header()["sdk"] == "gradio"
    assert (SPACE / header()["app_file"]).is_file()
    assert header()["sdk_version"] == required("tests/requirements-space.txt")["gradio"]


def test_its_requirements_are_all_that_the_library_needs():
    tomllib = pytest.importorskip("tomllib")
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    listed = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in needed if line not in listed] == []
    assert {"torch", "timm"} <= {canonical(re.split("[>=]", line)[0]) for line in listed}


def test_the_environment_of_the_tests_has_all_that_the_library_needs():
    known = required("tests/requirements-space.txt")
    listed = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = {canonical(re.split("[>=]", line)[0]) for line in listed if not line.startswith("#")}
    assert names - {"timm", "torchvision"} <= known.keys()
