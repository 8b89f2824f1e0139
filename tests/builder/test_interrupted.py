"""A process that is killed while it prepares: the next one succeeds with what was downloaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.builder.rows import made_directly
from tests.builder.user import WAYS, User
from tests.killing import wait_until
from tests.local_hub.faults import Fault
from tests.local_hub.state import Hub
from tests.published import FORNET

PARQUET = r"resolve/.*\.parquet"
SLOW = f"""
import time
import datasets, fornet_hf
from fornet_hf.release import units
apply_patch = units.apply_patch
def slowly(*arguments):
    time.sleep(2)
    return apply_patch(*arguments)
units.apply_patch = slowly
%s("{FORNET}"%s)
"""


def start(user: User, way: str) -> subprocess.Popen[bytes]:
    """A load that takes long over each row."""
    code = SLOW % (way, ", trust_remote_code=True" if way.startswith("datasets") else "")
    return subprocess.Popen(
        [sys.executable, "-c", code], env=user.environment(), cwd=user.home, stderr=subprocess.DEVNULL
    )


def writers(folder: Path) -> list[str]:
    """Processes that have a file of this folder open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(folder) in str(link.readlink()) and link.readlink().suffix == ".arrow":
                found.append(link.parts[2])
        except OSError:  # it ended while we looked
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are looked up in /proc")
@pytest.mark.parametrize("way", WAYS)
def test_killed_while_preparing(alice: User, published: Hub, way: str) -> None:
    process = start(alice, way)
    wait_until(lambda: len(list(alice.home.rglob("*.incomplete/*.arrow"))) == 2)
    process.kill()
    process.wait()
    published.forget()
    wait_until(lambda: not writers(alice.home))  # the workers end too
    one = User(alice.hub, alice.home, alice.token, {"MAX_WORKERS": "1"})
    assert one.load(way) == {split: made_directly(split) for split in ("train", "validation")}
    assert not [record for record in published.asked(PARQUET, "GET") if "train" in record.path]
    assert len(list(alice.home.rglob("*.arrow"))) == 2  # nothing is left of the first attempt


def test_killed_while_downloading(alice: User, published: Hub) -> None:
    slow = published.inject(Fault("slow", r"imagenet-1k/resolve/.*train-00001.*\.parquet", seconds=60))
    process = start(alice, "fornet_hf.load_dataset")
    wait_until(lambda: slow.hits and len(published.asked(PARQUET, "GET", 200)) >= 2)
    process.kill()
    process.wait()
    done = {record.path for record in published.asked(PARQUET, "GET", 200)}
    published.forget()
    assert alice.load(split="train") == made_directly("train")
    again = {record.path for record in published.asked(PARQUET, "GET")}
    assert len(done & again) <= 1  # a file may arrive whole in the moment of the end
    assert len(done | again) >= 6
