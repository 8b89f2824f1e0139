"""One thread for tiny networks: torch's threads only wait for each other, where other processes need the cores.

A conftest or a module of tests imports `one_thread`, and all its tests have it.
"""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Let torch compute on one thread, and give it the others back afterwards."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
