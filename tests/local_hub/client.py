"""Surroundings for the real clients: they read their endpoint and caches when they are imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

_ROOT = Path(__file__).parents[2]
_FENCE = Path(__file__).parent / "fence"
_UNWANTED = ("HF_", "HUGGING", "TRANSFORMERS_", "XDG_CACHE")
SETTINGS = {
    "HF_HUB_ETAG_TIMEOUT": "30",  # a busy machine answers itself late
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",
}
"""What the clients read when they are imported, wherever the Hub and their caches are."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def hub_environment(url: str, cache: Path, token: str | None = None) -> dict[str, str]:
    """Return the environment for a process that talks to the Hub at `url` and keeps everything under `cache`.

    It reaches no host but this machine, and has no token unless one is given.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNWANTED) and name.lower() not in _PROXIES
    }
    wanted = {
        "HF_ENDPOINT": url,
        "HF_HOME": str(cache / "huggingface"),
        "HOME": str(cache / "home"),
        "NO_PROXY": "*",
        "PYTHONPATH": os.pathsep.join([str(_FENCE), str(_ROOT)]),
    }
    login = {"HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"} if token is None else {"HF_TOKEN": token}
    return {**kept, **SETTINGS, **wanted, **login}


@dataclass(frozen=True)
class Answer:
    """An answer to one request: status, body, headers."""

    status: int
    body: bytes
    headers: Message[str, str]


def get(url: str, headers: Mapping[str, str] | None = None, *, timeout: float = 10) -> Answer:
    """Send one plain GET, never repeated and never redirected; http.client's errors if the answer is not whole."""
    return send("GET", url, headers=headers, timeout=timeout)


def send(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = 10,
) -> Answer:
    """Send one plain request of any method, as `get`."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers)
    finally:
        connection.close()


def run_python(
    code: str, environment: Mapping[str, str], *, cwd: Path, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, in the folder `cwd`; its output as text."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=dict(environment), cwd=cwd, timeout=timeout, text=True, capture_output=True, check=False
    )


def output_of(code: str, environment: Mapping[str, str], *, cwd: Path, timeout: float = 300) -> str:
    """Return what the code prints, without surrounding space; AssertionError with its errors if it fails."""
    done = run_python(code, environment, cwd=cwd, timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()
