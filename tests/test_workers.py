"""MAX_WORKERS."""

import math
import os
from pathlib import Path

import pytest

from fornet_hf import workers
from fornet_hf.errors import ConfigurationError
from fornet_hf.workers import cgroup_cpus, max_workers


@pytest.mark.parametrize("value", ["1", "2", "64"])
def test_the_variable_counts(monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    assert max_workers() == int(value)


def test_without_it_all_cpus_of_this_process(monkeypatch):
    monkeypatch.delenv("MAX_WORKERS", raising=False)
    monkeypatch.setattr(workers, "cgroup_cpus", lambda: math.inf)
    assert max_workers() == (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@pytest.mark.parametrize("value", ["", "0", "-1", "abc", "1.5", " 2", "²", "٣", "1e3", "9" * 5000])
def test_anything_else_is_an_error_that_says_what_is_allowed(monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    with pytest.raises(ConfigurationError, match=r"MAX_WORKERS.*allowed: 1, 2, 3.*export"):
        max_workers()


SHARES = [(0.3, 1), (1.0, 1), (1.5, 2), (2.0, 2), (7.2, 8), (64.0, 16), (math.inf, 16)]


@pytest.mark.parametrize(("share", "count"), SHARES)
def test_a_container_bounds_the_default(monkeypatch, share, count):
    monkeypatch.delenv("MAX_WORKERS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(16), raising=False)
    monkeypatch.setattr(workers, "cgroup_cpus", lambda: share)
    assert max_workers() == count
    monkeypatch.setenv("MAX_WORKERS", "20")
    assert max_workers() == 20


def groups(folder: Path, membership: str, files: dict[str, str]) -> float:
    """The limit with these groups of the process, and these files below /sys/fs/cgroup."""
    for name, text in files.items():
        (folder / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "root" / name).write_text(text + "\n")
    (folder / "cgroup").write_text(membership + "\n")
    return cgroup_cpus(folder / "cgroup", folder / "root")


@pytest.mark.parametrize(
    ("membership", "files", "cpus"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/", {"cpu.max": "max 100000"}, math.inf),
        ("0::/", {}, math.inf),
        ("0::/kubepods/pod/c", {"cpu.max": "max 100000", "kubepods/pod/cpu.max": "200000 100000"}, 2.0),
        ("0::/a/b", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000"}, 2.0),
        ("0::/seen/by/the/host", {"cpu.max": "50000 100000"}, 0.5),
        ("0::/../../other", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/a", {"unified/a/cpu.max": "300000 100000"}, 3.0),
        (
            "5:cpu,cpuacct:/docker/c\n4:memory:/docker/c",
            {"cpu,cpuacct/docker/c/cpu.cfs_quota_us": "250000", "cpu,cpuacct/docker/c/cpu.cfs_period_us": "100000"},
            2.5,
        ),
        ("5:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ("5:cpu,cpuacct:/d", {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "50000"}, 2.0),
        ("0::/", {"cpu.max": "what is this"}, math.inf),
        ("no group", {}, math.inf),
    ],
)
def test_limits_of_control_groups(tmp_path, membership, files, cpus):
    assert groups(tmp_path, membership, files) == cpus


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert cgroup_cpus(tmp_path / "nothing", tmp_path) == math.inf
