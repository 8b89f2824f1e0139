"""A release to attack."""

from __future__ import annotations

import pytest

from tests.hostile.attacked import Attacked
from tests.images import write_release


@pytest.fixture
def attacked(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures")
    return Attacked(tmp_path / "patches", tmp_path / "pictures")
