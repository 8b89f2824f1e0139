"""Speed of recombination: `python -m benchmarks.recombination`. README.md says what is measured, and how."""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from benchmarks import harness
from benchmarks.harness import Case, measure, progress
from benchmarks.photos import photos, prepared_rows
from benchmarks.stages import breakdown
from benchmarks.straightforward import PlainJpegs, Straightforward
from benchmarks.synthetic import write_rows
from fornet_hf.features import row_features, with_lazy_images
from fornet_hf.format.rows import Row
from fornet_hf.recombination import CropConfig, Recombine, to_tensor
from tests.torchvision_shim import import_torchvision

BATCH = 64
SIZE = 224
COMPARED = (
    ("fused", "plain JPEG"),
    ("fused", "plain JPEG, resized by torch"),
    ("fused", "straightforward"),
    ("unfused", "straightforward"),
)


class Sides:
    """The sides of the comparison, each a dataset of the same 64 examples: 8 photos, 8 times."""

    def __init__(self, folder: Path) -> None:
        transforms = import_torchvision().transforms
        crop, flip = transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip()
        pipeline = transforms.Compose([crop, flip, transforms.ToTensor()])
        copies = BATCH // len(photos(outlines=True))
        rows = repeated(prepared_rows(outlines=True), copies)
        images = [photo.source for photo in photos(outlines=True)] * copies
        stored = store(rows, folder)
        fused = {"crop": CropConfig(size=SIZE), "flip": 0.5, "transform": to_tensor}
        self.fused = _recombining(stored, **fused)
        self.unfused = _recombining(stored, transform=pipeline)
        self.plain = PlainJpegs(images, pipeline)
        self.plain_by_torch = PlainJpegs(images, _by_torch(transforms))
        self.straightforward = Straightforward(rows, pipeline)

    def named(self) -> dict[str, Any]:
        """Name in the results to dataset."""
        return {
            "fused": self.fused,
            "unfused": self.unfused,
            "straightforward": self.straightforward,
            "plain JPEG": self.plain,
            "plain JPEG, resized by torch": self.plain_by_torch,
        }


def repeated(rows: tuple[Row, ...], copies: int) -> list[Row]:
    """The rows a number of times, under other keys."""
    return [replace(row, key=f"{row.key} {copy}") for copy in range(copies) for row in rows]


def store(rows: list[Row], folder: Path) -> Any:
    """The rows as memory-mapped dataset, as users have it."""
    listed = [
        {
            name: {"bytes": value, "path": None} if name in ("foreground", "mask", "background") else value
            for name, value in asdict(row).items()
        }
        for row in rows
    ]
    names = [f"class {label}" for label in sorted({row.label for row in rows})]
    datasets.Dataset.from_list(listed, features=row_features(names)).save_to_disk(str(folder))
    return with_lazy_images(datasets.load_from_disk(str(folder)))


def _recombining(stored: Any, **parameters: Any) -> Any:
    """The dataset with its transform, seeded, so that a result can be made again and compared."""
    transform = Recombine(stored, seed=0, **parameters)
    dataset = stored.with_transform(transform)
    dataset.recombine = transform
    return dataset


def _by_torch(transforms: Any) -> Any:
    """A faster plain loader than the usual one: crop and resize a tensor of bytes instead of a Pillow image."""
    resized = transforms.RandomResizedCrop(SIZE, antialias=True)
    to_bytes, to_floats = transforms.PILToTensor(), transforms.ConvertImageDtype(_torch().float32)
    return transforms.Compose([to_bytes, resized, transforms.RandomHorizontalFlip(), to_floats])


def _torch() -> Any:
    import torch

    return torch


def _batches(dataset: Any, **options: Any) -> Any:
    return _torch().utils.data.DataLoader(dataset, batch_size=BATCH, **options)


def _case(name: str, dataset: Any) -> Case:
    """One epoch of 64 examples through a DataLoader in this process, to one batch of float tensors."""
    recombine, epochs = getattr(dataset, "recombine", None), itertools.count()

    def run() -> Any:
        if recombine is not None:
            recombine.clock.epoch = next(epochs)
        return next(iter(_batches(dataset)))

    def check(batch: Any) -> None:
        images, labels = (batch["image"], batch["label"]) if isinstance(batch, dict) else batch
        assert images.shape == (BATCH, 3, SIZE, SIZE)
        assert images.dtype == _torch().float32
        assert 0 <= images.min() < 0.2
        assert 0.8 < images.max() <= 1
        assert images.std(dim=(1, 2, 3)).min() > 0
        assert (labels % 8).tolist() == list(range(8)) * (BATCH // 8)
        if name == "fused":  # the others' crops are drawn by torchvision, so they cannot be drawn again
            again = dataset[BATCH // 2]
            assert _torch().equal(images[BATCH // 2], again["image"])

    return Case(name, run, BATCH, check)


def one_core(sides: Sides, repeats: int) -> dict[str, Any]:
    """Parts (a) and (b), and where the time goes."""
    cases = [_case(name, dataset) for name, dataset in sides.named().items()]
    times = measure(cases, repeats=repeats)
    speed = {
        f"{one} / {other}": {
            unit: round(times[other][unit] / times[one][unit], 3) for unit in ("median_ms", "on_core_median_ms")
        }
        for one, other in COMPARED
    }
    stages = breakdown({case.name: case.run for case in cases}, BATCH, repeats=max(2, repeats // 3))
    return {"milliseconds_per_image": times, "times_as_fast": speed, "stages_ms_per_image": stages}


def scaling(sides: Sides, epochs: int) -> dict[str, Any]:
    """Time of an image in epochs of 512 with 1 and 2 persistent workers, all cores allowed; all in turn."""
    order = list(range(BATCH)) * 8
    loaders, seconds = {}, {}
    for name, workers in itertools.product(("fused", "unfused", "plain JPEG"), (1, 2)):
        dataset = sides.named()[name]
        loader = _batches(dataset, sampler=order, num_workers=workers, persistent_workers=True)
        loaders[f"{name}, workers: {workers}"], seconds[f"{name}, workers: {workers}"] = loader, []
    for _ in range(epochs + 1):
        for name, loader in loaders.items():
            if (recombine := getattr(loader.dataset, "recombine", None)) is not None:
                recombine.clock.epoch += 1
            start = time.perf_counter()
            images = sum(len(batch["label"] if isinstance(batch, dict) else batch[1]) for batch in loader)
            seconds[name].append((time.perf_counter() - start) / images)
            assert images == len(order)
    return {name: harness.summary(times[1:]) for name, times in seconds.items()}  # the first starts the workers


def many_rows(folder: Path, large: int, accesses: int, repeats: int) -> dict[str, Any]:
    """Milliseconds of one random access with recombination, at 1,000 rows and at `large`."""
    rng, cases, made = np.random.default_rng(0), [], {}
    for rows in (1000, large):
        progress(f"writing {rows} rows")
        dataset = write_rows(folder / f"{rows}.arrow", rows)
        start = time.perf_counter()
        recombine = Recombine(dataset, crop=CropConfig(size=SIZE // 14), transform=np.asarray)
        made[f"{rows} rows"] = round(time.perf_counter() - start, 4)
        cases.append(_access_case(f"{rows} rows", dataset.with_transform(recombine), rng, accesses))
    return {"milliseconds_per_access": measure(cases, repeats=repeats), "seconds_to_make_recombine": made}


def _access_case(name: str, dataset: Any, rng: np.random.Generator, accesses: int) -> Case:
    picked: list[int] = []

    def run() -> list[Any]:
        picked[:] = rng.integers(len(dataset), size=accesses).tolist()
        return [dataset[row] for row in picked]

    def check(examples: list[Any]) -> None:
        assert [example["label"] for example in examples] == [row % 1000 for row in picked]
        assert all(example["image"].shape == (16, 16, 3) for example in examples)

    return Case(name, run, accesses, check)


def main() -> None:
    """Run all parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats, 20,000 rows; writes no results")
    quick = parser.parse_args().quick
    everywhere = os.sched_getaffinity(0)
    harness.pin_to_one_core()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        progress("preparing photos")
        sides = Sides(folder / "photos")
        results["one_core"] = _step("one core", lambda: one_core(sides, 3 if quick else 25))
        rows = 20_000 if quick else 1_000_000
        results["many_rows"] = _step("many rows", lambda: many_rows(folder, rows, 300, 3 if quick else 15))
        os.sched_setaffinity(0, everywhere)
        results["scaling"] = _step("scaling", lambda: scaling(sides, 2 if quick else 11))
    if quick:
        progress(str(results))
    else:
        progress(str(harness.write("recombination", results)))


def _step(name: str, run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    progress(name)
    return run()


if __name__ == "__main__":
    main()
