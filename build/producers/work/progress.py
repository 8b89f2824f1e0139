"""Shards in progress: a small file for each process, in the folder of its run, as long as it is at a shard.

progress/HOST-PROCESS.json       where the process is, its shard, and how many of its images are done
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fornet_hf.errors import StorageError
from fornet_hf.files import whole_path

EVERY = 10.0  # seconds between two looks at a shard that may differ
QUIET = 60.0  # seconds without a word; processes of containers on this host may be alive though it does not see them


@dataclass(frozen=True, kw_only=True)
class Running:
    """A shard in progress.

    Attributes:
        where: host and device.
        task: name of the shard.
        images: that are done.
        of: all that it has.
        begun: when, seconds since 1970.
        seen: when the process last said so, likewise.
        ended: whether the process is known to have ended before its shard.
    """

    where: str
    task: str
    of: int
    begun: float
    images: int = 0
    seen: float = 0.0
    ended: bool = False


def here(device: str = "cpu") -> str:
    """Return host and device, the latter by its name on the machine, as a `Seat` has it."""
    return f"{socket.gethostname()} {device}"


@contextlib.contextmanager
def noted(root: Path, where: str, task: str, of: int) -> Iterator[Callable[[int], None]]:
    """Yield what may be told the number of images that are done as often as one likes; the file goes at the end.

    A file that cannot be written is no error: the images count, and not what is said about them.

    Args:
        root: folder of the run.
        where: as `here` gives it.
        task: name of the shard.
        of: number of its images.
    """
    path = _folder(root) / f"{socket.gethostname()}-{os.getpid()}.json"
    running, last = Running(where=where, task=task, of=of, begun=time.time()), -EVERY

    def tell(images: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY:
            last = now
            said = asdict(replace(running, images=images, seen=time.time()))
            with contextlib.suppress(OSError, StorageError), whole_path(path) as temporary:
                temporary.write_text(json.dumps(said), encoding="utf-8")

    tell(0)
    try:
        yield tell
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def running(root: Path, finished: Collection[str], now: float) -> list[Running]:
    """Return the shards in progress, by their names.

    Killed processes leave their files behind: of each shard only the last attempt counts, and none of one that is
    finished.

    Args:
        root: folder of the run.
        finished: names of the shards that are.
        now: seconds since 1970.
    """
    latest: dict[str, Running] = {}
    for path in _folder(root).glob("*.json"):
        try:
            one = Running(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):  # gone meanwhile, or written by another version
            continue
        one = replace(one, ended=now - one.seen > QUIET and not _may_be_alive(path))
        if one.task not in finished and (one.task not in latest or latest[one.task].begun < one.begun):
            latest[one.task] = one
    return [latest[name] for name in sorted(latest)]


def _may_be_alive(path: Path) -> bool:
    """Return whether the process of a file is there; of one on another host nobody here knows."""
    host, _, process = path.stem.rpartition("-")
    if host != socket.gethostname() or os.name != "posix":  # elsewhere os.kill ends the process
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def forget(root: Path) -> None:
    """Delete the files of all processes; one that is at work all the same writes its own anew."""
    shutil.rmtree(_folder(root), ignore_errors=True)


def _folder(root: Path) -> Path:
    return root / "progress"
