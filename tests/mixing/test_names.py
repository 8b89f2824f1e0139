"""The names that `fornet_hf.mixing` exports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fornet_hf import mixing


@pytest.mark.parametrize("name", mixing.__all__)
def test_every_name_shows_how_it_is_used(name):
    pytest.importorskip("torch")
    assert ">>> from fornet_hf.mixing import " in getattr(mixing, name).__doc__


def test_the_names_are_those_that_are_there():
    assert dir(mixing) == sorted(mixing.__all__)


def test_draws_and_masks_need_no_torch():
    program = """
import sys
sys.modules["torch"] = None
import numpy as np
from fornet_hf.mixing import AlternateConfig, FMixConfig, MixConfig, draw, fmix_masks, lambdas
mix = draw(FMixConfig(), np.random.default_rng(0), 4, (8, 8))
print(fmix_masks(mix.lam, (8, 8), np.random.default_rng(1)).shape)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "(1, 8, 8)\n"
