"""The lower ends that `make test-lowest` installs are those of the ranges in pyproject.toml."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.blocks import ROOT

tomllib = pytest.importorskip("tomllib", reason="part of Python since 3.11")
TOOLS = {"ruff", "mypy", "pytest-cov"}  # no test depends on their version


def pins(name):
    lines = (ROOT / "tests" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def lower_ends(*extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    found = [Requirement(text) for one in lists for text in one]
    return {one.name: min(spec.version for spec in one.specifier) for one in found if one.name not in TOOLS}


@pytest.mark.parametrize(
    ("name", "extras", "left_out"),
    [
        ("requirements-lowest", ("torch", "ray", "demo", "masks", "test"), set()),
        ("requirements-lowest-build", ("build", "test"), {"huggingface_hub"}),
    ],
)
def test_lower_ends_are_those_of_the_ranges(name, extras, left_out):
    expected = {package: low for package, low in lower_ends(*extras).items() if package not in left_out}
    found = pins(name)
    assert found.keys() == expected.keys()
    # wheels of OpenCV have a fourth number
    wrong = {
        package: (pin, expected[package])
        for package, pin in found.items()
        if Version(re.sub(r"^(\d+\.\d+\.\d+)\.\d+$", r"\1", pin)) != Version(expected[package])
    }
    assert wrong == {}


def test_errors_name_the_range_of_diffusers():
    models = (ROOT / "build" / "producers" / "registered.py").read_text(encoding="utf-8")
    assert {*re.findall(r"'diffusers>=([\d.]+)'", models)} == {lower_ends("build")["diffusers"]}
