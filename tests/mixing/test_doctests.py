"""Examples in docstrings of mixing show what is true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from fornet_hf import mixing
from tests.test_imports import ON_TENSORS

FILES = Path(mixing.__file__).parent.glob("*.py")
MODULES = sorted(f"fornet_hf.mixing.{path.stem}" for path in FILES if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_pass(name):
    if name in ON_TENSORS:
        pytest.importorskip("torch")
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0
