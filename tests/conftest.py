"""Every test runs without the network, without the home directory, and with a cache of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.blocks import ROOT
from tests.hidden import only, required
from tests.local_hub.client import SETTINGS

# A busy machine is slow at drawing examples, too: the health check of that says nothing about the tests.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")

_HOME = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Set what `datasets` and `huggingface_hub` read once, when they are first imported."""
    home = config.stash[_HOME] = tempfile.mkdtemp(prefix="fornet-tests-")
    for name in ("HF_TOKEN", "MAX_WORKERS", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ.pop(name, None)
    os.environ.update(
        HF_HOME=home,
        HF_HUB_CACHE=f"{home}/hub",
        HF_DATASETS_CACHE=f"{home}/datasets",
        HF_MODULES_CACHE=f"{home}/modules",
        XDG_CACHE_HOME=f"{home}/cache",
        HF_ENDPOINT="http://127.0.0.1:9",  # nobody listens there; tests of the Hub name their own
        HF_HUB_DISABLE_IMPLICIT_TOKEN="1",  # noqa: S106
        **SETTINGS,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[_HOME], ignore_errors=True)


@pytest.fixture(autouse=True)
def shared_caches(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves something in the caches of its process, where a later test would find it."""
    yield
    home = Path(request.config.stash[_HOME])
    left = [*home.glob("hub/*--*"), *home.glob("assets/*/*/*/*"), *filter(Path.is_dir, home.glob("datasets/*"))]
    for folder in {home / path.relative_to(home).parts[0] for path in left}:
        shutil.rmtree(folder)
    if left:
        pytest.fail(f"left in the shared caches: {', '.join(str(path.relative_to(home)) for path in left)}")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves behind, and what it printed in `output.txt`, made with no other packages."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    command = [sys.executable, "build/demo.py", "--out", str(folder)]
    environment = only(set(required("build/requirements-demo.txt")))
    finished = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    (folder / "output.txt").write_text(finished.stdout)
    return folder
