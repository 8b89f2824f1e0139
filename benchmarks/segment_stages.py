"""Each of the producers' models alone: sizes of batches, and the ways to be faster one by one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks import harness
from benchmarks.photos import photos
from benchmarks.segment_models import boxes_of, ellipse, make
from fornet_hf.format.masks import Mask
from producers.devices.placement import ON, Placement
from producers.scene import Raster, Scene

PROMPTS = ("a fish, a type of animal.", "an animal.", "a fish.")
PLAIN: frozenset[str] = frozenset()
FEW_STEPS = 13  # of which strength .8 does 10, a quarter of what is usual
SECONDS = 5.0  # for which a case is repeated, at least three times, after a call that does not count

BATCHES = {"grounding-dino": (8, 32), "sam": (16,), "sam-hf": (16,), "lama": (16, 32), "attentive-eraser": (8, 16)}
"""The sizes of batches that are measured; the first one is that of `build/segment.py`."""

MATTER = {
    "grounding-dino": ("pinned", "sampling", "short-texts", "texts"),
    "sam": ("pinned", "decoding", "relative-positions"),
    "sam-hf": ("pinned", "decoding"),
    "lama": ("pinned", "folded", "unfused"),
    "attentive-eraser": ("shared-halves", "channels-last", "compile"),
}
"""The ways to be faster that a model knows."""


@dataclass(frozen=True)
class Case:
    """A model at one size of batches, with some of the ways to be faster."""

    name: str
    batch: int
    speedups: frozenset[str] = ON

    def __str__(self) -> str:
        added = [f"with {name}" for name in sorted(self.speedups - ON)]
        left = [f"without {name}" for name in sorted({*MATTER[self.name]} & (ON - self.speedups))]
        what = ["plain"] if not self.speedups else [*added, *left]
        return ", ".join([self.name, f"batch {self.batch}", *what])


def cases(name: str) -> Iterator[Case]:
    """Yield the cases of a model: the plain way first, to which the others are compared."""
    usual, *larger = BATCHES[name]
    yield Case(name, 1, PLAIN)
    yield Case(name, usual, PLAIN)
    yield Case(name, usual)
    yield from (Case(name, batch) for batch in larger)
    for one in MATTER[name]:
        yield Case(name, usual, ON - {one} if one in ON else ON | {one})


Answers = list[Any]


def measured(case: Case, device: str, precision: str, *, tiny: bool = False) -> tuple[dict[str, Any], Answers]:
    """Time a case; return its figures, and the model's answers for the images of a batch."""
    model = make(case.name, Placement(device, precision, case.speedups), case.batch, tiny=tiny)
    few = hasattr(model, "settings") and not tiny  # an infiller of many steps
    if few:
        model.settings = replace(model.settings, steps=FEW_STEPS)
    asked = _scenes(max(case.batch, 2 if few or tiny else 8))
    if hasattr(model, "threshold"):
        model.threshold = _threshold(model, asked[:1])
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    seconds, answers = _timed(partial(ask, model, asked), len(asked), 0.0 if tiny else SECONDS)
    steps = {"steps": int(FEW_STEPS * model.settings.strength)} if few else {}
    found = {"case": str(case), **steps, **harness.summary(seconds), **harness.gpu(device)}
    del model
    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    return found, answers


def _threshold(model: Any, scenes: Sequence[Scene]) -> float:
    """Return a confidence above which a random detector finds a box for each prompt."""
    model.threshold = 0.0
    scores = sorted((one.score for found in model.detect(scenes) for one in found), reverse=True)
    return float(scores[min(len(PROMPTS), len(scores) - 1)])


def _timed(run: Callable[[], Answers], items: int, least: float) -> tuple[list[float], Answers]:
    answers, seconds = run(), []
    began = time.perf_counter()
    while len(seconds) < 3 or time.perf_counter() - began < least:
        start = time.perf_counter()
        run()  # returns what lies in the memory of the CPU, so the GPU has done it
        seconds.append((time.perf_counter() - start) / items)
    return seconds, answers


def _scenes(count: int) -> list[Scene]:
    rasters = [np.asarray(photo.image) for photo in photos()]
    return [Scene(key=str(n), raster=rasters[n % len(rasters)], prompts=PROMPTS) for n in range(count)]


def ask(model: Any, scenes: Sequence[Scene]) -> Answers:
    """Return a model's answers: boxes, masks of the boxes, or infilled images."""
    if hasattr(model, "detect"):
        return [sorted((one.prompt, one.box) for one in found) for found in model.detect(scenes)]
    rasters = [scene.raster for scene in scenes]
    if hasattr(model, "segment"):
        masks: Answers = model.segment(rasters, [[one.box for one in boxes_of(scene)] for scene in scenes])
        return masks
    infilled: Answers = model.infill(rasters, [_hole(scene) for scene in scenes])
    return infilled


def _hole(scene: Scene) -> Mask:
    return ellipse(scene.raster, boxes_of(scene)[0].box)


def agreement(plain: Answers, found: Answers) -> dict[str, float]:
    """Compare answers with those of the plain way, image by image.

    Returns the share of equal boxes, the least intersection over union of masks, or the mean difference of values.
    """
    pairs = list(zip(plain, found, strict=False))
    if isinstance(plain[0], np.ndarray):
        return {"mean_difference": round(float(np.mean([_difference(*pair) for pair in pairs])), 4)}
    if plain[0] and isinstance(plain[0][0], np.ndarray):
        return {"least_iou": round(min(_iou(*masks) for pair in pairs for masks in zip(*pair, strict=True)), 5)}
    equal = sum(len({*one} & {*other}) for one, other in pairs)
    return {"equal_boxes": round(equal / max(1, sum(max(len(one), len(other)) for one, other in pairs)), 4)}


def _difference(plain: Raster, found: Raster) -> float:
    return float(np.abs(plain.astype(int) - found).mean())


def _iou(plain: Mask, found: Mask) -> float:
    union = int((plain | found).sum())
    return float((plain & found).sum() / union) if union else 1.0
