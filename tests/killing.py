"""Starts commands and kills processes of them."""

import os
import random
import secrets
import signal
import subprocess
import time
from pathlib import Path

_MARK = "FORNET_TEST_FAMILY"  # in the environment of a driver, and so in that of all that it starts


def children(process):
    """Ids of all processes below one."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, waiting = [], [process]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def lives(process):
    """Whether there is a process of this id that has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=240):
    """Wait for something that other processes do; fail when it takes longer than even a busy machine needs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Family:
    """A driver, started when entered, and all that it starts, by a mark in their environment."""

    def __init__(self, command, environment):
        self._mark = secrets.token_hex(8)
        self._words = list(map(str, command))
        self._environment = {**environment, _MARK: self._mark}

    def __enter__(self):
        self.driver = subprocess.Popen(
            self._words, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(self, *error):
        for process in self.members():
            os.kill(process, signal.SIGKILL)
        self.driver.wait()

    def members(self):
        """Ids of those that live."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                marked = f"{_MARK}={self._mark}".encode() in path.read_bytes()
            except OSError:  # it has ended, or is somebody else's
                continue
            if marked and lives(path.parent.name):
                found.append(int(path.parent.name))
        return found


def run_with_kills(command, *, kills, victims, seed=0, timeout=300, environment=None, span=2.0):
    """Run a command, started again whenever it ends before its time, until it succeeds.

    Args:
        command: words.
        kills: how often a process is killed, at moments that are `span` seconds apart at most.
        victims: `children` or `driver`.
        seed: of moments and choices.
        timeout: seconds for all of it.
        environment: of the command.
        span: seconds.

    Returns:
        How many processes were killed.
    """
    rng, done, deadline = random.Random(seed), 0, time.monotonic() + timeout
    while True:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        ) as driver:
            while done < kills and driver.poll() is None and time.monotonic() < deadline:
                time.sleep(rng.uniform(0, span))
                below = children(driver.pid)
                victim = driver.pid if victims == "driver" else rng.choice(below) if below else None
                if victim is not None and driver.poll() is None:
                    os.kill(victim, signal.SIGKILL)
                    done += 1
            output = driver.communicate(timeout=max(1, deadline - time.monotonic()))[0]
        if driver.returncode == 0:
            return done
        if time.monotonic() > deadline:
            raise TimeoutError(output)
