"""How every benchmark times: one core, warm-up, both sides in turn in one run, medians with their spread."""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fornet_hf.files import write_text

_RESULTS = "benchmarks/results"  # from the project's root
RESULTS = Path(__file__).parents[1] / _RESULTS
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: in the results.
        run: the work; what it returns is checked, not kept.
        items: how many items one call handles; times are reported for one item.
        check: raises if the result of `run` is wrong; called for every call, outside of the timed region.
    """

    name: str
    run: Callable[[], Any]
    items: int
    check: Callable[[Any], None]


def pin_to_one_core() -> int:
    """Bind this process and its children to one core and the libraries to one thread; the core's number."""
    for name in _THREADS:
        os.environ[name] = "1"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    for module, limit in (("torch", "set_num_threads"), ("cv2", "setNumThreads")):
        if importlib.util.find_spec(module):
            getattr(importlib.import_module(module), limit)(1)
    return core


def measure(cases: Sequence[Case], *, repeats: int = 15, warm_up: int = 2) -> dict[str, dict[str, float]]:
    """Time all cases in turn, `repeats` times over; results for one item, in milliseconds.

    Interleaved, so that a machine that slows down slows all sides down; each round starts with another case. Time
    of the process on the core is noted beside time on the clock: on a shared machine they differ.
    """
    for case in cases:
        for _ in range(warm_up):
            case.check(case.run())
    seconds: dict[str, list[tuple[float, float]]] = {case.name: [] for case in cases}
    for repeat in range(repeats):
        for i in range(len(cases)):
            case = cases[(i + repeat) % len(cases)]
            gc.collect()
            gc.disable()
            start, started = time.perf_counter(), time.process_time()
            result = case.run()
            used, passed = time.process_time() - started, time.perf_counter() - start
            gc.enable()
            seconds[case.name].append((passed / case.items, used / case.items))
            case.check(result)
    return {name: _both(values) for name, values in seconds.items()}


def _both(values: Sequence[tuple[float, float]]) -> dict[str, float]:
    core = summary([used for _, used in values])
    return {**summary([passed for passed, _ in values]), "on_core_median_ms": core["median_ms"]}


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Median, quartiles, fastest, and items a second, of repeated timings of one item."""
    low, median, high = (float(value) * 1000 for value in np.percentile(seconds, (25, 50, 75)))
    return {
        "median_ms": round(median, 5),
        "quartile_1_ms": round(low, 5),
        "quartile_3_ms": round(high, 5),
        "fastest_ms": round(float(min(seconds)) * 1000, 5),
        "items_per_second": round(1000 / median, 2),
        "repeats": len(seconds),
    }


def machine() -> dict[str, Any]:
    """What a figure depends on: hardware, versions, date, commit."""
    return {
        "date": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "cpu": _cpu(),
        "cores_visible": os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {
            name: _version(name) for name in ("pillow", "numpy", "torch", "torchvision", "datasets", "pyarrow")
        },
        "torchvision_operators": _torchvision_operators(),
        "libjpeg_turbo": _libjpeg(),
    }


def fill_in(arguments: argparse.Namespace, defaults: Mapping[str, Any]) -> argparse.Namespace:
    """Return the arguments, with a default for each that the command line left open."""
    for name, value in defaults.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


def gpu(device: str) -> dict[str, Any]:
    """The GPU's name, and the most memory that torch has taken of it; empty for a CPU."""
    if not device.startswith("cuda"):
        return {}
    import torch

    memory = round(torch.cuda.max_memory_allocated(device) / 2**30, 2)
    return {"gpu": torch.cuda.get_device_name(device), "gpu_memory_gib": memory}


def name_on(name: str, found: Mapping[str, Any]) -> str:
    """Return the name of results with the GPU that gave them, if one did."""
    model = re.sub(r"\W+", "_", found.get("gpu", "").removeprefix("NVIDIA ")).strip("_").lower()
    return f"{name}_{model}".rstrip("_")


def write(name: str, results: dict[str, Any], folder: Path | None = None) -> Path:
    """Write `results` with `machine()` to `results/<name>.json`, or into another folder; the file's path."""
    path = (folder or RESULTS) / f"{name}.json"
    write_text(path, json.dumps({"machine": machine(), **results}, indent=2) + "\n")
    return path


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _libjpeg() -> str | None:
    from PIL import features

    return features.version("libjpeg_turbo")


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _torchvision_operators() -> str | None:
    """How torchvision ran: with its own compiled operators or beside a torch build that they do not fit."""
    loaded = sys.modules.get("torchvision")
    if loaded is None:
        return None
    return "compiled" if loaded.extension._has_ops() else "missing: imported by tests/torchvision_shim.py"  # noqa: SLF001


def commit() -> str:
    """The commit that is measured, with `-dirty` where the code is not that of the commit.

    Results do not count as code: they change while all are measured anew.
    """
    found = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", f":(top,exclude){_RESULTS}")
    return (found or "unknown") + ("-dirty" if changed else "")


def _git(*words: str) -> str:
    command, place = ["git", *words], Path(__file__).parent
    try:
        return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    except FileNotFoundError:  # a machine without git may have the files
        return ""


def progress(message: str) -> None:
    """A line for whoever waits."""
    print(message, file=sys.stderr, flush=True)
