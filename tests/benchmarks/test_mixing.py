"""The benchmark of masks runs, compares like with like, and its page says what it found."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import figures

pytest.importorskip("torch")

from benchmarks import harness, mixing


def test_the_formulas_give_masks_of_the_library_s_distribution() -> None:
    rng = np.random.default_rng(0)
    check = mixing.means(mixing.LAM, (9, 12))
    check([mixing.plain(float(lam), (9, 12), rng, 0.1) for lam in mixing.LAM])
    with pytest.raises(AssertionError):
        check([mixing.plain(0.5, (9, 12), rng, 0.1) for _ in mixing.LAM])


def test_the_page_has_a_line_for_every_side() -> None:
    result = {
        "one_core": {"8 x 8": mixing.on_one_core((8, 8), 0.0, 1)},
        "gpu": "a GPU",
        "on_gpu": {"8 x 8": mixing.on_device("cpu", (8, 8), 0.1, 32, 1)},
    }
    assert result["on_gpu"]["8 x 8"]["repeats_bit_for_bit"]
    page = figures.mixing(result)
    assert all(f"| 8 x 8 | {side} |" in page for side in ("formulas", "NumPy, a mask a call", "NumPy", "torch"))
    assert "| 32 masks of 8 x 8 |" in page


def test_quick_runs_everything_and_writes_nothing() -> None:
    published = harness.RESULTS / "mixing.json"
    before = published.read_bytes()
    command = [sys.executable, "-m", "benchmarks.mixing", "--quick"]
    done = subprocess.run(command, cwd=harness.RESULTS.parents[1], capture_output=True, text=True, check=True)
    assert all(name in done.stderr for name in mixing.SHAPES)
    assert published.read_bytes() == before
