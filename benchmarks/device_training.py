"""Training steps behind the loaders of benchmarks/device.py: the step alone, and how long the device waited."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.device_sides import Place
from tests.torchvision_shim import import_torchvision

Step = Callable[[Tensor, Tensor], None]


def networks(place: Place) -> dict[str, Callable[[], nn.Module]]:
    """Return the networks to train, by name: on a CPU one that shows that it runs."""
    if place.device.type != "cuda":
        return {"tiny": _tiny}
    return {"ResNet-50": import_torchvision().models.resnet50, "ViT-S/16": _vit}


def _vit() -> nn.Module:
    import timm

    network: nn.Module = timm.create_model("vit_small_patch16_224")
    return network


def _tiny() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 8, 8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 1000)
    )


def step_of(network: nn.Module, place: Place) -> Step:
    """Return a step of training: bfloat16 by autocast, SGD."""
    network = network.to(place.device, memory_format=place.form["memory_format"])
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)

    def step(images: Tensor, labels: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(place.device.type, dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def alone(step: Step, place: Place, least: float) -> float:
    """Return milliseconds of a step on images that lie on the device; the median of five times."""
    images = torch.randn((place.batch, 3, place.size, place.size), device=place.device).to(**place.form)
    labels = torch.arange(place.batch, device=place.device) % 8
    for _ in range(3):
        step(images, labels)
    place.wait()
    started = time.perf_counter()
    step(images, labels)
    place.wait()
    steps = max(1, int(least / 5 / (time.perf_counter() - started)))
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(steps):
            step(images, labels)
        place.wait()
        times.append((time.perf_counter() - started) / steps)
    return 1000 * float(np.median(times))


def behind(
    step: Step, place: Place, batches: Iterable[tuple[Tensor, Tensor]], workers: int, least: float
) -> dict[str, float]:
    """Return milliseconds of a step behind a loader in full run, and the share of it in which the device waited.

    On a GPU that is the time between the end of a step and the start of the next one on its stream; on a CPU the
    time that the loader took.
    """
    iterator = iter(batches)
    for _ in range(2 + workers + workers // 2):
        step(*next(iterator))
    place.wait()
    marks = _mark(place)
    started, steps, blocked = time.perf_counter(), 0, 0.0
    while steps % max(1, workers) or time.perf_counter() - started < least:
        asked = time.perf_counter()
        batch = next(iterator)
        blocked += time.perf_counter() - asked
        marks += _mark(place)
        step(*batch)
        marks += _mark(place)
        steps += 1
    place.wait()
    seconds = time.perf_counter() - started
    ends, starts = marks[:-1:2], marks[1::2]
    idle = sum(end.elapsed_time(start) for end, start in zip(ends, starts, strict=True)) / 1000
    return {
        "ms_a_step": 1000 * seconds / steps,
        "waited": (idle if marks else blocked) / seconds,
        "images_per_second": steps * place.batch / seconds,
        "steps": steps,
    }


def _mark(place: Place) -> list[Any]:
    """Return an event on the device's stream, if it has one."""
    if place.device.type != "cuda":
        return []
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return [event]
