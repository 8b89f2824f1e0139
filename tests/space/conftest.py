"""The Space, served on this machine as users serve it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.blocks import ROOT

HERE = Path(__file__).parent
APP = ROOT / "examples" / "space" / "app.py"
START = 120  # seconds


@contextmanager
def serving(folder: Path, model: str, *, demo: Path | None = None, app: Path = APP) -> Iterator[str]:
    """Run the app in a folder of its own; yields its address. `demo` None: the app looks for it itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (HERE, ROOT))),
        "FORNET_DEMO": str(demo or ""),
        "FORNET_MODEL": model,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "images"),
        "HF_HOME": str(folder / "home"),
        "HF_DATASETS_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, str(app)]
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(server, address, folder / "log.txt")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: subprocess.Popen, address: str, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the Space does not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def served(demo, tmp_path_factory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("served"), "colours:classifier", demo=demo) as address:
        yield address
