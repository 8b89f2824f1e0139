"""How many processes this project may start."""

from __future__ import annotations

import math
import os
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain

VARIABLE = "MAX_WORKERS"


def available_cpus() -> int:
    """CPUs that this process may use: those it may run on, and no more than its container's share of time."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cpus, math.ceil(min(cgroup_cpus(), cpus))))


def cgroup_cpus(membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float:
    """CPUs' worth of time that the control groups of Linux, version 1 or 2, leave this process; inf without a limit.

    Args:
        membership: the file which lists the groups of this process.
        root: where their hierarchies are mounted.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return math.inf
    limits = [math.inf]
    for _, controllers, group in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in (root / controllers, root / "cpu") if controllers else (root, root / "unified"):
            # A container may see its own group as the root, or by a path that only its host has.
            place = mount / group.lstrip("/") if ".." not in group else mount
            limits += [_quota(folder) for folder in (place, *place.parents) if folder.is_relative_to(mount)]
    return min(limits)


def _quota(group: Path) -> float:
    try:
        if (group / "cpu.max").is_file():  # version 2
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota, period = (
                (group / f"cpu.cfs_{name}_us").read_text(encoding="utf-8") for name in ("quota", "period")
            )
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # no such group, or "max"
        return math.inf


def max_workers() -> int:
    """The number in the environment variable MAX_WORKERS, else the CPUs that this process may use.

    Raises:
        ConfigurationError: MAX_WORKERS is anything but a positive integer.
    """
    value = os.environ.get(VARIABLE)
    if value is None:
        return available_cpus()
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
        then = f"Set it like `export {VARIABLE}=8`, or unset it to use all CPUs."
        raise ConfigurationError(
            explain(f"{VARIABLE} is not a number of workers", found=repr(value), allowed="1, 2, 3, ...", then=then)
        )
    return int(value)
