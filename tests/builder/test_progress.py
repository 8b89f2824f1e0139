"""Bars: one for each kind of download, and none where `datasets` was told so."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys

import pytest

from tests.builder.user import User
from tests.published import FORNET

fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
CODE = """
import datasets, fornet_hf
{before}
fornet_hf.load_dataset("{name}", split="train")
"""
SWITCHES = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS")


def shown(user: User, before: str = "") -> str:
    """What appears in a terminal; elsewhere some bars are never shown."""
    environment = {name: value for name, value in user.environment().items() if name not in SWITCHES}
    terminal, other_end = os.openpty()
    fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 150, 0, 0))
    command = [sys.executable, "-c", CODE.format(before=before, name=FORNET)]
    process = subprocess.Popen(command, env=environment, cwd=user.home, stderr=other_end)
    os.close(other_end)
    text = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while data := os.read(terminal, 2**16):
            text += data
    os.close(terminal)
    assert process.wait() == 0, text
    return text.decode()


def test_downloads_and_preparation_have_a_bar_each(alice: User) -> None:
    text = shown(alice)
    assert "Downloading patches: 100%" in text
    assert "Downloading images: 100%" in text
    assert "Generating train split" in text
    assert ".parquet:" not in text  # not one for each of hundreds of files


def test_no_bars_where_datasets_was_told_so(alice: User) -> None:
    text = shown(alice, "datasets.disable_progress_bars()")
    assert "%" not in text
    assert "it/s" not in text
    assert "examples" not in text
