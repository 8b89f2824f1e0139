"""Imports run one way, from the upper rooms to the lower ones; docs/architecture.md names the rooms as they are."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.blocks import ROOT

LIBRARY = [
    "__main__",
    "cli",
    "evaluation",
    "adapters",
    "mixing",
    "preview",
    "publish",
    "layout",
    "builder",
    "recombination",
    "release",
    "hub",
    "sources",
    "format",
    "arguments classes endings features files locks packages progress processes ranks tensors errors",
]
"""The rooms of `fornet_hf`, from the top down; what stands in one line holds small things that all may use."""

PRODUCERS = [
    "publishing downloads views",
    "layers",
    "distil tuning",
    "pairs",
    "tasks",
    "work",
    "registry",
    "registered",
    "registration",
    "plugins fields",
    "step",
    "detect segment refine infill score",
    "diffusion",
    "model_step",
    "scene training",
    "devices",
]
"""The rooms of `build/producers`, likewise; the scripts stand above them all."""

EVALUATION = [
    "functions",
    "evaluating",
    "measuring",
    "choosing subjects",
    "report",
    "results",
    "challenge measures masks",
    "leakage",
    "independence saliency",
    "answers variants",
    "data",
    "stimuli",
    "labels",
    "models",
    "statistics",
    "configuration",
]
"""The rooms of `fornet_hf/evaluation`, likewise."""

Graph = Mapping[str, set[str]]


def modules(root: Path, package: str) -> dict[str, Path]:
    """Return the files of a package by the names of their modules."""
    names = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in (root / package).rglob("*.py")}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def imports(path: Path) -> Iterator[str]:
    """Yield the name of all that a file imports, wherever in it: `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: say where from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph(root: Path, package: str) -> Graph:
    """Return what each module of a package imports of that package; the package's own face is left out."""
    files = modules(root, package)
    files.pop(package)
    found = {}
    for name, path in files.items():
        targets = {target if target in files else target.rpartition(".")[0] for target in imports(path)}
        found[name] = targets & set(files)
    return found


def upwards(arrows: Graph, layers: list[str]) -> set[tuple[str, str]]:
    """Return the imports of a higher room by a lower one, as pairs of importer and imported."""
    ranks = {room: rank for rank, line in enumerate(layers) for room in line.split()}

    def rank(module: str) -> int:
        room = module.split(".")[1]
        assert room in ranks, f"{module}: say in {__name__} to which layer {room} belongs"
        return ranks[room]

    return {(name, target) for name in arrows for target in arrows[name] if rank(target) < rank(name)}


def inside(arrows: Graph, room: str) -> Graph:
    """Return a room's own imports of itself, each module by its name in the room's package: `room.module`."""
    start = f"fornet_hf.{room}."
    return {
        name.removeprefix("fornet_hf."): {t.removeprefix("fornet_hf.") for t in arrows[name] if t.startswith(start)}
        for name in arrows
        if name.startswith(start)
    }


PACKAGES = {
    "fornet_hf": (graph(ROOT, "fornet_hf"), LIBRARY),
    "fornet_hf.evaluation": (inside(graph(ROOT, "fornet_hf"), "evaluation"), EVALUATION),
    "producers": (graph(ROOT / "build", "producers"), PRODUCERS),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_downwards(package):
    assert upwards(*PACKAGES[package]) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_in_a_circle(package):
    arrows = PACKAGES[package][0]
    assert list(graphlib.TopologicalSorter(arrows).static_order())


def test_both_tests_can_fail():
    assert upwards({"fornet_hf.hub.retry": {"fornet_hf.cli.main"}}, LIBRARY)
    with pytest.raises(graphlib.CycleError):
        list(graphlib.TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def of_room(room: str) -> set[str]:
    return {target for path in (ROOT / room).rglob("*.py") for target in imports(path)}


def test_drawing_knows_no_pixels():
    targets = of_room("fornet_hf/recombination/draw")
    assert [name for name in targets if name.startswith(("PIL", "cv2", "fornet_hf.recombination.pixels"))] == []


def test_pixels_know_no_randomness():
    room = "fornet_hf/recombination/pixels"
    chance = ("random", "secrets", "numpy.random", "fornet_hf.recombination.draw.rng")
    assert [name for name in of_room(room) if name.startswith(chance)] == []
    assert [path for path in (ROOT / room).rglob("*.py") if ".random" in path.read_text(encoding="utf-8")] == []


def test_the_library_knows_nothing_of_the_producers():
    targets = of_room("fornet_hf")
    assert [name for name in targets if name.startswith(("producers", "build"))] == []
    users = {path.parent.name for path in (ROOT / "fornet_hf").rglob("*.py") if "torchvision.models" in imports(path)}
    assert users == {"models"}  # which loads classifiers by name


def test_the_producers_know_nothing_of_the_scripts():
    scripts = {path.stem for path in (ROOT / "build").glob("*.py")}
    assert {name.partition(".")[0] for name in of_room("build/producers")} & scripts == set()


def test_commands_that_look_and_check_know_nothing_of_publishing():
    assert [name for name in of_room("fornet_hf/cli") if name.startswith("fornet_hf.publish")] == []


def test_the_page_names_every_folder():
    tree = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    named = [line.split()[0].strip("/") for line in tree.splitlines() if line.strip()]
    tops = [ROOT / name for name in ("fornet_hf", "build", "build/producers")]
    folders = [
        folder for top in tops for folder in top.rglob("*/") if folder.is_dir() and "__pycache__" not in str(folder)
    ]
    assert len(folders) > 20
    assert {folder.name for folder in folders} - set(named) == set()


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_paths_that_a_page_names_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    quoted = re.findall(r"`([\w./-]+(?:/|\.(?:py|md)))`", text) + re.findall(r"\b\w+\.py\b", text)
    files = {
        str(path.relative_to(ROOT))
        for top in ("fornet_hf", "build", "tests", "docs", "examples")
        for path in (ROOT / top).rglob("*")
    }
    there = [name for name in files if "__pycache__" not in name] + [path.name for path in ROOT.iterdir()]
    ends = {"/".join(name.split("/")[start:]) for name in there for start in range(name.count("/") + 1)}
    assert len(quoted) > 20
    assert {name.strip("/") for name in quoted if "NAME" not in name} - ends == set()
