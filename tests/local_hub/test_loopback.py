"""Processes of the tests reach this machine and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local_hub.client import get, hub_environment, output_of
from tests.local_hub.state import Hub

CODE = """
import socket
for host in ("127.0.0.1", "localhost", "datasets-server.127.0.0.1", "huggingface.co", "8.8.8.8"):
    try:
        socket.create_connection((host, 1), timeout=1)
    except ConnectionRefusedError:
        print(host, "reached")
    except socket.gaierror:
        print(host, "fenced")
"""


def test_a_process_of_its_own_stays_on_the_loopback(tmp_path: Path) -> None:
    lines = output_of(CODE, hub_environment("http://127.0.0.1:1", tmp_path), cwd=tmp_path).splitlines()
    assert lines == [
        "127.0.0.1 reached",
        "localhost reached",
        "datasets-server.127.0.0.1 fenced",
        "huggingface.co fenced",
        "8.8.8.8 fenced",
    ]


def test_this_process_stays_on_the_loopback(hub: Hub, hub_home: Path) -> None:
    assert get(f"{hub.url}/api/whoami-v2").status == 401
    with pytest.raises(OSError, match="Tests stay on the loopback"):
        get("http://huggingface.co/")
