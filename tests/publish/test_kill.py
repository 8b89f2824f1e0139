"""Publishing that is killed: readers never see half a release, and running it again gives the same repository."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import publish
from tests.local_hub.client import hub_environment
from tests.local_hub.faults import Fault
from tests.local_hub.repository import Commit
from tests.local_hub.state import Hub
from tests.publish.conftest import TOKEN
from tests.publish.releases import Release, make_release

MOMENTS = 20
CHANGED = 15  # shards: three times as many as are uploaded at a time
_SLOW = 0.05  # seconds for every upload and commit, so that kills hit them

# Importing takes longer than publishing: one process imports, and a fork of it publishes.
_RUNNER = """
import json, os, sys
import datasets, huggingface_hub, huggingface_hub.hf_api, publish
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        os._exit(publish.main(json.loads(line)))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Runner:
    """Runs the command in a process that may be killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(self, release: Release, name: str, kill_when: Callable[[], bool] = lambda: False) -> int:
        """Exit status (-9: killed)."""
        self.process.stdin.write(json.dumps([str(release.patches), name]) + "\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        with suppress(ProcessLookupError):  # it has ended
            while not kill_when():
                os.kill(child, 0)
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
        return int(self.process.stdout.readline())


@contextmanager
def runner(hub: Hub, tmp_path: Path) -> Iterator[Runner]:
    command = [sys.executable, "-c", _RUNNER]
    build = Path(publish.__file__).parent
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": (tmp_path / "log").open("w")}
    environment = hub_environment(hub.url, tmp_path, TOKEN)
    environment["PYTHONPATH"] += os.pathsep + str(build)
    with pipes["stderr"], subprocess.Popen(command, env=environment, cwd=tmp_path, text=True, **pipes) as process:
        try:
            yield Runner(process)
        finally:
            process.kill()


def assert_whole(hub: Hub, commit: Commit) -> None:
    """The shards at this commit are those which its manifest names, and no others."""
    manifest = json.loads(hub.contents.get(commit.files["patches/manifest.json"].sha256))
    named = {f"patches/{e['path']}": e["sha256"] for split in manifest["splits"].values() for e in split}
    found = {path: entry.sha256 for path, entry in commit.files.items() if path.endswith(".parquet")}
    assert found == named


def settle(hub: Hub) -> None:
    """Wait until the server has dealt with what a killed client sent."""
    count = -1
    while hub.in_progress or count != len(hub.requests):
        count = len(hub.requests)
        time.sleep(2.5 * _SLOW)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_killed_at_any_moment_it_ends_as_if_it_never_was(hub: Hub, tmp_path: Path) -> None:
    hub.add_user("TNauen", token=TOKEN)
    first = make_release(tmp_path, shards=16)
    second = make_release(tmp_path, shards=16, changed=range(CHANGED), name="second")
    hub.create_repo("TNauen/calm")
    moments = random.Random(4)

    def asked() -> int:
        return len(hub.requests) + hub.in_progress

    with runner(hub, tmp_path) as run:
        assert run(first, "TNauen/calm") == 0
        before = hub.files("TNauen/calm")
        hub.inject(Fault("slow", "/_lfs/|/commit/", method="", seconds=_SLOW, times=None))
        start = asked()
        assert run(second, "TNauen/calm") == 0
        needed = asked() - start
        wanted = hub.files("TNauen/calm")
        killed, halfway = 0, 0
        for number in range(MOMENTS):
            name = f"TNauen/storm{number}"
            hub.commit(name, before)
            enough = asked() + round(needed * number / MOMENTS)
            wait = moments.uniform(0, _SLOW)
            killed += run(second, name, lambda: asked() >= enough and not time.sleep(wait)) == -9  # noqa: B023
            settle(hub)
            stored = set(hub.repo(name).objects)
            halfway += 0 < len([u for u in hub.uploads if u.repository == name]) < CHANGED
            hub.uploads.clear()
            whole = {**wanted, "README.md": wanted["README.md"].replace(b"calm", f"storm{number}".encode())}
            assert hub.files(name) in (before, whole)
            assert run(second, name) == 0
            assert hub.files(name) == whole
            assert not [upload for upload in hub.uploads if upload.sha256 in stored]
            for commit in hub.history(name)[:-1]:
                assert_whole(hub, commit)
            assert len(hub.history(name)) == 3  # the empty one, the first release, the second
    assert killed > MOMENTS // 2
    assert halfway > 0
    assert TOKEN not in (tmp_path / "log").read_text()
