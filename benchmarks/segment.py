#!/usr/bin/env python
"""Images an hour of the producers on one GPU: every model alone, and all of build/segment.py by several processes.

    python -m benchmarks.segment [--minutes 8] [--infiller lama|attentive-eraser|both] [--out FOLDER]

One command for a machine without a network: the weights are random and drawn on the GPU, at their real sizes, and the
images are photographs at sizes like ImageNet's. The figures go to `segment_GPU.json` after each case, so that a run
which is ended early loses nothing; a case for which there is no time is left out, one that fails does not stop the
others, and the file says so. The models' answers are computed and thrown away: each image gets a box a prompt, and
one and a half versions of a third of its area. The public pipeline reports 5,338.6 images an hour on an H100 with
LaMa, and 374.3 with Attentive Eraser. Exit status: 0 done, 1 a case failed, 2 a wrong command line.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

from benchmarks import harness, segment_chain, segment_stages  # noqa: E402 - the folders above come first
from benchmarks.segment_chain import Chain  # noqa: E402
from benchmarks.segment_stages import Case, agreement, cases  # noqa: E402
from fornet_hf.processes import max_workers  # noqa: E402
from producers.devices.placement import Placement  # noqa: E402
from producers.tasks.segment import WINDOW  # noqa: E402
from producers.work.settings import version_of  # noqa: E402

INFILLERS = ("lama", "attentive-eraser")
GUESS = 45.0  # seconds that a case may take before one like it has been measured


class Budget:
    """The time of a run, and the cases without figures.

    Attributes:
        left_out: names of those for which there was no time left.
        failed: errors of the others, by name.
    """

    def __init__(self, minutes: float) -> None:
        self.left_out: list[str] = []
        self.failed: dict[str, str] = {}
        self._end = time.monotonic() + 60 * minutes
        self._longest: dict[str, float] = {}

    def run(self, kind: str, name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """Return what the work returns; None if it fails, or would take too long, as far as its kind says."""
        left = self._end - time.monotonic()
        if left < 1.2 * self._longest.get(kind, GUESS):
            self.left_out.append(name)
            return None
        harness.progress(f"{name} ({left:.0f} s left)")
        start, found = time.monotonic(), None
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other cases may run
            self.failed[name] = f"{type(error).__name__}: {error}"
            harness.progress(f"{name} failed: {self.failed[name]}")
        if found is None:  # the error is gone, whose frames held the model
            gc.collect()
            torch.cuda.empty_cache()
        self._longest[kind] = max(self._longest.get(kind, 0.0), time.monotonic() - start)
        return found


class Results:
    """The figures so far, written after each case."""

    def __init__(self, arguments: argparse.Namespace, budget: Budget) -> None:
        packages = ("transformers", "diffusers", "segment-anything", "triton")
        versions = {package: version_of(package) for package in packages}
        self.found: dict[str, Any] = {
            "options": {name: value for name, value in vars(arguments).items() if name not in ("out", "tiny")},
            "packages": versions,
            **harness.gpu(arguments.device),
            "chains": [],
            "alone": [],
            "left_out": budget.left_out,
            "failed": budget.failed,
        }
        self.found.pop("gpu_memory_gib", None)  # each case has its own
        self._folder = arguments.out

    def add(self, kind: str, found: dict[str, Any] | None) -> None:
        """Add a case, unless it has no figures, and write all."""
        if found is not None:
            self.found[kind].append(found)
            harness.progress(str(found))
        if self._folder is not None:
            harness.write(harness.name_on("segment", self.found), self.found, self._folder)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure chains with LaMa, then models alone, then chains with Attentive Eraser, as far as there is time."""
    budget = Budget(arguments.minutes)
    results = Results(arguments, budget)
    infillers = INFILLERS if arguments.infiller == "both" else (arguments.infiller,)
    for infiller in infillers:
        _chains(arguments, infiller, budget, results)
        names = ("grounding-dino", arguments.segmenter, infiller) if infiller == infillers[0] else (infiller,)
        for name in names:
            _alone(arguments, name, budget, results)
    return results.found


def _chains(arguments: argparse.Namespace, infiller: str, budget: Budget, results: Results) -> None:
    slow = infiller == "attentive-eraser"
    place = Placement(arguments.device, arguments.precision)
    for processes in (1,) if slow else arguments.processes:
        chain = Chain(
            segmenter=arguments.segmenter,
            infiller=infiller,
            processes=processes,
            images=max(2, arguments.images // 16) if slow else arguments.images,
            window=arguments.window,
            workers=max(0, arguments.workers // processes),
            tiny=arguments.tiny,
        )
        name = f"all, {infiller}, {processes} processes"
        results.add(
            "chains", budget.run(f"all, {infiller}", name, lambda chain=chain: segment_chain.measured(chain, place))
        )


def _alone(arguments: argparse.Namespace, name: str, budget: Budget, results: Results) -> None:
    plain: list[Any] = []

    def work(case: Case) -> dict[str, Any]:
        found, answers = segment_stages.measured(case, arguments.device, arguments.precision, tiny=arguments.tiny)
        plain.extend(answers if not plain else ())
        return found | agreement(plain, answers)

    for case in cases(name):
        results.add("alone", budget.run(f"alone, {name}", str(case), partial(work, case)))


def table(found: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [
        f"{one['infiller']}, {one['processes']} processes: {one['images_an_hour']:,} images an hour"
        for one in found["chains"]
    ]
    lines += [f"{one['case']:<60}{one['median_ms']:10.1f} ms an image" for one in found["alone"]]
    lines += [f"left out, as there was no time: {', '.join(found['left_out'])}"] if found["left_out"] else []
    lines += [f"failed: {name}: {error}" for name, error in found["failed"].items()]
    return "\n".join(lines if "gpu" in found else [*lines, "On a CPU: says nothing about GPUs."])


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    cuda = torch.cuda.is_available()
    options.add_argument("--device", default="cuda" if cuda else "cpu")
    options.add_argument("--precision", default="bfloat16")
    options.add_argument("--infiller", choices=(*INFILLERS, "both"), default="both")
    options.add_argument("--segmenter", choices=("sam", "sam-hf"), default="sam")
    options.add_argument("--images", type=int, default=512, help="of each process; a sixteenth with the eraser")
    options.add_argument("--processes", type=int, nargs="+", default=[1, 2, 3], help="on the GPU, in turn")
    options.add_argument("--window", type=int, default=WINDOW, help="images on their way in each process")
    options.add_argument("--workers", type=int, default=max(1, max_workers() - 1), help="beside, shared out")
    options.add_argument("--minutes", type=float, default=8, help="for all of it; cases that do not fit are left out")
    options.add_argument("--out", type=Path, default=harness.RESULTS if cuda else None, help="folder of the results")
    options.add_argument("--tiny", action="store_true", help="networks for tests take the place of the real ones")
    return options.parse_args(argv)


def main() -> int:
    """Print the table and write the results; return the exit status."""
    found = measure(parse())
    print(table(found))
    return int(bool(found["failed"]))


if __name__ == "__main__":
    sys.exit(main())
