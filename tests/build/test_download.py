"""The command `build/download.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import download
from producers.downloads.catalogue import CATALOGUE
from producers.downloads.item import FILE, Item
from tests.blocks import ROOT
from tests.local_hub.fixtures import hub, hub_home
from tests.local_hub.state import Hub

__all__ = ["hub", "hub_home"]


def test_a_reader_that_has_seen_enough_ends_the_list_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, str(ROOT / "build" / "download.py"), "--list"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.fixture
def listed(hub: Hub, hub_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    """A catalogue of one file, on the test Hub."""
    hub.commit("you/sets", {"a.tgz": b"archive"})
    address = f"{hub.url}/datasets/you/sets/resolve/main/a.tgz"
    item = Item(name="a", kind=FILE, address=address, wanted_by="us")
    monkeypatch.setattr(download, "CATALOGUE", {"a": item})
    monkeypatch.chdir(tmp_path)
    return hub


def test_the_list_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert download.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE)
    assert "build/segment.py, its default infiller" in next(line for line in lines if line.startswith("lama "))


def test_the_list_of_a_name_says_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert download.main(["--list", "imagenet-1k", "lama", "cub"]) == 0
    out = capsys.readouterr().out
    for text in (
        "  terms: https://huggingface.co/datasets/ILSVRC/imagenet-1k\n",
        "  size: 150 GB\n",
        "  digest: md5:e3aa4aaa15225a33ec84f9f4bc47e500, says build/producers/registered.py\n",
        "  licence: not stated\n",
    ):
        assert text in out


@pytest.mark.parametrize(("options", "folder"), [((), "downloads"), (("--out", "sets"), "sets")])
def test_names_are_fetched_and_checked(
    listed: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], folder: str
) -> None:
    assert download.main(["--check", *options]) == 0
    assert capsys.readouterr().out == "absent   a\n"
    assert download.main(["a", "a", *options]) == 0
    assert capsys.readouterr().out == f"a: {folder}/a/a.tgz\n"
    assert (tmp_path / folder / "a" / "a.tgz").read_bytes() == b"archive"
    assert download.main(["--check", *options]) == 0
    assert capsys.readouterr().out == f"there    a  {folder}/a/a.tgz\n"
    (tmp_path / folder / "a" / "a.tgz").write_bytes(b"another")
    assert download.main(["--check", "a", *options]) == 1
    assert download.main(["a", *options]) == 1
    assert "is not the file that was expected" in capsys.readouterr().err


def test_unknown_names_and_none_are_told(listed: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert download.main(["b"]) == 1
    assert "unknown name of something to fetch; found b; allowed: a" in capsys.readouterr().err
    assert download.main([]) == 1
    assert "nothing to fetch" in capsys.readouterr().err
