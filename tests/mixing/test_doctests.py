"""Examples in docstrings of mixing show what is true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from fornet_hf import mixing
from tests.test_imports import ON_TENSORS

FILES = [path for path in Path(mixing.__file__).parent.glob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
MODULES = sorted(
    {path.stem for path in FILES} - {"lightning"}
)  # which needs Lightning; test_lightning.py does the same


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_pass(name):
    module = f"fornet_hf.mixing.{name}"
    if module in ON_TENSORS:
        pytest.importorskip("torch")
    assert doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS).failed == 0
