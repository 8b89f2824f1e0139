"""Composing on the device: `python -m benchmarks.device`. README.md says what is measured, and how."""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from torch import Tensor

from benchmarks import device_training, harness
from benchmarks.device_sides import SIDES, WAYS, Place, Sides, deferred, recombining, timed
from benchmarks.harness import Case, measure, progress
from benchmarks.photos import prepared_rows
from benchmarks.recombination import repeated, store
from fornet_hf import Compositor
from fornet_hf.features import with_lazy_images
from fornet_hf.recombination.device.jpegs import with_decoded

WORKERS = (16, 8, 4, 2, 1)
BOUNDS = {"pixels": (0.3, 2), "jpeg": (1.0, 64)}  # levels of 255 to the CPU's images: in the mean, at most
COPIES = 8  # of the photographs


class Report:
    """What was measured so far, in a file after each part; and the time that is left.

    Attributes:
        results: by part.
    """

    def __init__(self, name: str | None, seconds: float) -> None:
        self.results: dict[str, Any] = {}
        self._name, self._seconds, self._started = name, seconds, time.monotonic()

    @property
    def spent(self) -> float:
        """Return the share of the time that is over."""
        return (time.monotonic() - self._started) / self._seconds

    def part(self, name: str, found: Any) -> None:
        """Note a part."""
        progress(f"{self.spent:4.0%} {name}: {found[-1] if isinstance(found, list) else found}")
        self.results[name] = found
        if self._name is not None:
            harness.write(self._name, self.results)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Note an error in here as that of a case, and go on with the others."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the other cases may run
            self.part("failed", {**self.results.get("failed", {}), name: f"{type(error).__name__}: {error}"})

    def in_time(self, part: str, cases: Iterable[Any], until: float) -> Iterator[Any]:
        """Yield cases until a share of the time is over; note those that are left out."""
        for case in cases:
            if self.spent < until:
                yield case
            else:
                self.part("left_out", [*self.results.get("left_out", []), f"{part}: {case}"])


def bytes_an_image(rows: Any, place: Place, way: str) -> int:
    """Return what travels to the device for an image, in the mean of a batch."""
    batch = deferred(rows, place, way)
    codes = 0 if batch.codes is None else len(batch.codes)
    return round((len(batch.flat) + codes) / len(batch))


def agreement(rows: Any, place: Place) -> dict[str, dict[str, float]]:
    """Return how far composed images are from those of `Recombine` alone, of the same compositions.

    Raises:
        ValueError: further than allowed.
    """
    numbers = [number % len(rows) for number in range(place.batch)]
    examples = recombining(rows, place, None, seed=0).__getitems__(numbers)
    wanted = torch.from_numpy(np.stack([np.asarray(example["image"]) for example in examples])).permute(0, 3, 1, 2)
    found = {}
    for name, way, kernels in ways(place):
        compositor = Compositor(dtype=torch.uint8, kernels=kernels)
        images, _ = compositor(deferred(rows, place, way).to(place.device))
        found[name] = difference(images, wanted)
        mean, most = BOUNDS[way]
        if found[name]["mean"] > mean or found[name]["max"] > most:
            raise ValueError(f"{name}: images are {found[name]} levels off, allowed: {mean} in the mean, {most}")
    return found


def difference(found: Tensor, wanted: Tensor) -> dict[str, float]:
    """Return how far levels are apart: in the mean, in the 99.9th percentile, and at most."""
    off = (found.cpu().int() - wanted.int()).abs().flatten().numpy()
    mean, high, most = off.mean(), np.percentile(off, 99.9), off.max()
    return {"mean": round(float(mean), 5), "percentile_99.9": float(high), "max": float(most)}


def ways(place: Place) -> list[tuple[str, str, bool]]:
    """Return what can compose here: its name, how pixels travel, and whether by kernels."""
    with_kernels = place.compositor().backend(place.device)["compose"].startswith("triton")
    kinds = [("kernels", True)] * with_kernels + [("products", False)]
    return [(f"{way}, {kind}", way, kernels) for way in WAYS for kind, kernels in kinds]


def composing(rows: Any, place: Place, repeats: int) -> dict[str, dict[str, float]]:
    """Time composing alone, of bytes that lie on the device, and decoding JPEGs to there; results for one image."""
    cases = []
    for name, way, kernels in ways(place):
        batch = deferred(rows, place, way).to(place.device)
        ready, compositor = with_decoded(batch), place.compositor(kernels=kernels)
        cases.append(_case(name, place, lambda c=compositor, b=ready: c._painted(b)[0]))  # type: ignore[misc]  # noqa: SLF001
        if way == "jpeg" and not kernels:
            cases.append(_case("decoding JPEGs", place, lambda b=batch: with_decoded(b).flat))  # type: ignore[misc]
    return measure(cases, repeats=repeats)


def _case(name: str, place: Place, run: Callable[[], Tensor]) -> Case:
    wanted = run()
    calls = 4 if place.device.type == "cuda" else 1  # so that the start of a call hides behind the one before

    def several() -> Tensor:
        for _ in range(calls):
            found = run()
        place.wait()
        return found

    def check(found: Tensor) -> None:
        assert torch.equal(found, wanted)  # bit for bit, each time

    return Case(name, several, calls * place.batch, check)


def end_to_end(sides: Sides, counts: Sequence[int], report: Report, until: float, least: float) -> None:
    """Time whole loaders, all sides in turn, with each number of workers."""
    cases = list(itertools.product(counts, SIDES))
    found: list[dict[str, Any]] = []
    for workers, side in report.in_time("end to end", cases, until):
        with report.attempt(f"end to end, {side}, {workers} workers"):
            figures = timed(sides.place, sides.batches(side, workers), workers, least)
            found.append({"side": side, "workers": workers, **rounded(figures)})
            report.part("end_to_end", found)
        gc.collect()  # ends the workers


def training(sides: Sides, counts: Sequence[int], report: Report, until: float, least: float) -> None:
    """Time steps of training, alone and behind loaders: with most workers, and with the fewest that may do."""
    most = counts[0]
    few = [(side, workers) for side, workers in (("pixels", 4), ("jpeg", 2)) if workers < most]
    cases = [*((side, most) for side in SIDES), *few]
    found: list[dict[str, Any]] = []
    for name, network in device_training.networks(sides.place).items():
        with report.attempt(name):
            step = device_training.step_of(network(), sides.place)
            one = {"network": name, "alone_ms": round(device_training.alone(step, sides.place, least), 3)}
            for side, workers in report.in_time(name, cases, until):
                with report.attempt(f"{name}, {side}, {workers} workers"):
                    figures = device_training.behind(step, sides.place, sides.batches(side, workers), workers, least)
                    found.append({**one, "side": side, "workers": workers, **rounded(figures)})
                    report.part("training", found)
                gc.collect()  # ends the workers


def rounded(figures: Mapping[str, float]) -> dict[str, float]:
    """Return figures with the digits that mean something."""
    return {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in figures.items()}


def name_of(device: torch.device) -> str:
    """Return the name of a result: device, or device_h100, say, after the GPU."""
    if device.type != "cuda":
        return "device"
    words = torch.cuda.get_device_name(device).split()
    model = next((word for word in words if re.search(r"\d", word)), words[-1])
    return f"device_{re.sub(r'[^a-z0-9]+', '_', model.lower())}"


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run all parts and write the results after each; return them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.device", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seconds", type=float, default=270, help="for all of it; what does not fit is left out")
    parser.add_argument("--rows", type=Path, help="prepared rows, of save_to_disk; default: the photographs")
    parser.add_argument("--quick", action="store_true", help="small, few repeats; writes no results")
    given = parser.parse_args(arguments)
    device = torch.device(given.device)
    on_gpu = device.type == "cuda"
    torch.backends.cudnn.benchmark = on_gpu
    if not on_gpu:
        torch.set_num_threads(1)  # as in workers: several would wait for each other where others compute, too
    batch, repeats = (256, 15) if on_gpu else (16, 5)
    place = Place(device, size=224, batch=batch)
    if given.quick:
        place, repeats = Place(device, size=64, batch=4, least=1), 2
    cores = len(os.sched_getaffinity(0))
    counts = [1] if given.quick else [count for count in WORKERS if count <= cores]
    report = Report(None if given.quick else name_of(device), given.seconds)
    least = 0.05 if given.quick else given.seconds / 120
    with tempfile.TemporaryDirectory() as folder:
        rows = opened(given.rows, Path(folder), outlines=not given.quick)
        report.part("device", torch.cuda.get_device_name(device) if on_gpu else "CPU")
        report.part("backend", place.compositor().backend(device))
        report.part("options", {"batch": place.batch, "size": place.size})
        report.part("bytes_an_image", {way: bytes_an_image(rows, place, way) for way in WAYS})
        report.part("agreement", agreement(rows, place))
        with report.attempt("composing"):
            report.part("composing", composing(rows, place, repeats))
        sides = Sides(rows, place)
        end_to_end(sides, counts, report, 0.7, least)
        training(sides, counts, report, 0.95, least)
    return report.results


def opened(given: Path | None, folder: Path, *, outlines: bool) -> Any:
    """Return prepared rows, memory-mapped; `outlines`: see `photos`."""
    if given is not None:
        return with_lazy_images(datasets.load_from_disk(str(given)))
    return store(repeated(prepared_rows(outlines=outlines), COPIES), folder)


if __name__ == "__main__":
    sys.exit("failed" in main())
