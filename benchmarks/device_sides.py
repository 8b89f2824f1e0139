"""The sides of benchmarks/device.py: who decodes and who composes, in endless loaders of the same rows.

Each ends in normalized images on the device, in the form that a training step there takes.
"""

from __future__ import annotations

import io
import itertools
import multiprocessing
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from benchmarks.straightforward import PlainJpegs
from fornet_hf import Compositor, DeviceLoader
from fornet_hf.recombination import Recombine, collate, to_tensor
from fornet_hf.recombination.pixels.compositing import original
from fornet_hf.recombination.pixels.parts import Parts
from tests.torchvision_shim import import_torchvision

WAYS = ("jpeg", "pixels")
SIDES = (*WAYS, "CPU", "plain JPEG")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Place:
    """Where and at what size images are wanted.

    Attributes:
        device: of the images.
        size: their side, pixels.
        batch: how many a step takes.
        least: batches that are timed end to end.
    """

    device: torch.device
    size: int
    batch: int
    least: int = 8

    @property
    def form(self) -> dict[str, Any]:
        """Return dtype and memory format of images, as steps on this device want them."""
        on_gpu = self.device.type == "cuda"
        kind = torch.bfloat16 if on_gpu else torch.float32
        return {"dtype": kind, "memory_format": torch.channels_last if on_gpu else torch.contiguous_format}

    def compositor(self, **options: Any) -> Compositor:
        """Return what composes for a training."""
        return Compositor(MEAN, STD, **self.form, **options)

    def wait(self) -> None:
        """Return when the device has nothing left to do."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def recombining(rows: Any, place: Place, way: str | None, **more: Any) -> Any:
    """Return rows that are recombined to `place.size`, on the CPU or in one of `WAYS`."""
    return rows.with_transform(Recombine(rows, crop=place.size, flip=0.5, defer=way, **more))


def deferred(rows: Any, place: Place, way: str, *, seed: int = 0) -> Any:
    """Return a batch that is yet to be composed."""
    numbers = list(itertools.islice(itertools.cycle(range(len(rows))), place.batch))
    return collate(recombining(rows, place, way, seed=seed).__getitems__(numbers))


class Sides:
    """Makes the loaders of one set of rows."""

    def __init__(self, rows: Any, place: Place) -> None:
        transforms = import_torchvision().transforms
        crop, flip = transforms.RandomResizedCrop(place.size), transforms.RandomHorizontalFlip()
        plain = PlainJpegs(originals(rows), transforms.Compose([crop, flip, transforms.ToTensor()]))
        self.place = place
        self._datasets = {way: recombining(rows, place, way) for way in WAYS}
        self._datasets |= {"CPU": recombining(rows, place, None, transform=to_tensor), "plain JPEG": plain}

    def batches(self, side: str, workers: int) -> Iterable[tuple[Tensor, Any]]:
        """Return an endless loader of images and labels on the device."""
        dataset, device = self._datasets[side], self.place.device
        loader: DataLoader[Any] = DataLoader(
            dataset,
            batch_size=self.place.batch,
            sampler=Endless(len(dataset)),
            num_workers=workers,
            collate_fn=collate,
            pin_memory=device.type == "cuda",
        )
        return DeviceLoader(loader, self.place.compositor(), device) if side in WAYS else Floats(loader, self.place)


class Endless(Sampler[int]):
    """All rows in a random order, again and again."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(0)
        while True:
            yield from torch.randperm(self._length, generator=generator).tolist()


class Floats:
    """Batches of float images, 0 to 1, moved and normalized as a training loop does it."""

    def __init__(self, loader: Iterable[Any], place: Place) -> None:
        self._loader, self._place = loader, place

    def __iter__(self) -> Iterator[tuple[Tensor, Any]]:
        mean, std = (torch.tensor(values, device=self._place.device).view(3, 1, 1) for values in (MEAN, STD))
        for batch in self._loader:
            images, labels = (batch["image"], batch["label"]) if isinstance(batch, dict) else batch
            images, labels = (part.to(self._place.device, non_blocking=True) for part in (images, labels))
            yield ((images - mean) / std).to(**self._place.form), labels


def originals(rows: Any) -> list[bytes]:
    """Return the images before they were taken apart, as JPEGs of quality 90 without restart markers."""
    return [_jpeg(original(Parts.of(row))) for row in rows]


def _jpeg(image: bytes | Image.Image) -> bytes:
    opened = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    buffer = io.BytesIO()
    opened.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def timed(place: Place, batches: Iterable[tuple[Tensor, Any]], workers: int, least: float) -> dict[str, float]:
    """Return images a second and CPU milliseconds an image of a loader in full run.

    What workers made ahead is used up first, and whole turns of the workers are timed, so that their queues are as
    full in the end as they were at the start. The time of the CPU is that of all processes and threads.

    Args:
        place: what `batches` was made for.
        batches: endless, with workers of its own.
        workers: how many.
        least: seconds.
    """
    before = children()
    iterator = iter(batches)
    for _ in range(2 + workers + workers // 2):
        next(iterator)
    place.wait()
    workers_now, count = children() - before, 0
    started, used, own = time.perf_counter(), cpu_seconds(workers_now), time.process_time()
    while count < place.least or count % max(1, workers) or time.perf_counter() - started < least:
        last = next(iterator)
        count += 1
    place.wait()
    seconds, own = time.perf_counter() - started, time.process_time() - own
    used = cpu_seconds(workers_now) - used
    check(place, *last)
    images = count * place.batch
    return {
        "images_per_second": images / seconds,
        "cpu_ms_an_image": 1000 * used / images,
        "cpu_ms_an_image_in_main": 1000 * own / images,
        "images": images,
    }


def check(place: Place, images: Tensor, labels: Any) -> None:
    """Raise if a batch is not one of normalized images on the device."""
    assert images.shape == (place.batch, 3, place.size, place.size)
    assert images.device.type == place.device.type
    assert images.dtype == place.form["dtype"]
    assert labels.shape == (place.batch,)
    assert images.float().std(dim=(1, 2, 3)).min() > 0.02
    assert -2.2 < images.float().min() < images.float().max() < 2.7  # black and white, normalized


def children() -> set[int]:
    """Return the processes that this one has started."""
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


def cpu_seconds(processes: Iterable[int]) -> float:
    """Return the time that this process and others have spent on cores, all of their threads, to a microsecond."""
    clocks = (~process << 3 | 2 for process in processes)  # as Linux's clock_getcpuclockid
    return time.process_time() + sum(map(time.clock_gettime, clocks))
