"""Environments in which less is installed than here."""

from __future__ import annotations

import os
import re
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.blocks import ROOT


def required(path: str) -> dict[str, str]:
    """The packages that a file of requirements lists, with their versions."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonical(name): version for name, version in pairs}


def only(packages: set[str]) -> dict[str, str]:
    """The environment of a process that finds these packages alone, besides the standard library and this project."""
    kept = packages | {"fornet-hf"}
    hidden = [
        module
        for module, origins in packages_distributions().items()
        if not kept & {canonical(origin) for origin in origins}
    ]
    path = os.pathsep.join([str(Path(__file__).parent / "only"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "HIDDEN_MODULES": " ".join(hidden)}


def canonical(name: str) -> str:
    """A package's name as indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
