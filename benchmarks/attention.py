#!/usr/bin/env python
"""Images a second by cross-attention, in batches across steps and images and one by one, in the same precision.

    python -m benchmarks.attention [--device cpu] [--precision float32] [--images 2] [--steps 8] [--side 256]

The weights are random, at Stable Diffusion 1's full width on a GPU and at a quarter of it on a CPU. README.md says
what is measured, and how. The figures go to `results/attention_MODEL.json`, named after the GPU, or
`attention.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

from tests.torchvision_shim import import_torchvision  # noqa: E402 - the folders above come first

with contextlib.suppress(ModuleNotFoundError):  # transformers does without, but not with one that is broken
    import_torchvision()

from benchmarks import harness  # noqa: E402
from benchmarks.attention_flops import counted  # noqa: E402
from benchmarks.attention_plain import OneByOne  # noqa: E402
from benchmarks.diffusion_like import stable_diffusion  # noqa: E402
from benchmarks.image_sizes import USUAL  # noqa: E402
from producers.devices.placement import Placement  # noqa: E402
from producers.scene import Scene  # noqa: E402
from producers.segment.attention_maps import Asked, AttentionMaps, Maps  # noqa: E402
from producers.segment.attention_settings import AttentionSettings  # noqa: E402
from producers.segment.attention_words import phrase  # noqa: E402
from producers.work.settings import version_of  # noqa: E402

BOUNDS = {"float32": 1e-4, "bfloat16": 0.1, "float16": 0.02}
"""Largest difference between the maps of both sides, of the largest value."""


def scenes(count: int) -> list[Scene]:
    """Images of ImageNet's usual sizes."""
    rng = np.random.default_rng(0)
    sizes = [USUAL[index % len(USUAL)] for index in range(count)]
    rasters = [rng.integers(0, 256, (high, wide, 3), np.uint8) for wide, high in sizes]
    return [Scene(key=f"image {index}", raster=raster, prompts=()) for index, raster in enumerate(rasters)]


def sides(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure both sides in turn."""
    placement = Placement(arguments.device, arguments.precision)
    settings = AttentionSettings(steps=arguments.steps, side=arguments.side)
    images = scenes(arguments.images)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = stable_diffusion(placement, arguments.fraction)
        torch.manual_seed(0)
        second = stable_diffusion(placement, arguments.fraction)
    asked = [Asked(index, phrase(first.tokenizer, settings.prompt, "bird")) for index in range(len(images))]
    slow, quick = OneByOne(first, settings), AttentionMaps(second, settings, arguments.batch_size)
    expected = slow.of(images, asked)

    def check(found: Maps) -> None:
        worst = float(np.abs(found - expected).max() / expected.max())
        if worst > BOUNDS[arguments.precision]:
            raise RuntimeError(f"maps differ by {worst:.2g} of their largest value")

    cases = [
        harness.Case("one by one", lambda: slow.of(images, asked), len(images), check),
        harness.Case("batches", lambda: quick.of(images, asked), len(images), check),
    ]
    times = harness.measure(cases, repeats=arguments.repeats, warm_up=1)
    factor = times["one by one"]["median_ms"] / times["batches"]["median_ms"]
    return {"sides": times, "times_as_fast": round(factor, 2), "batch_size": quick.batch_size.value}


def parse() -> argparse.Namespace:
    """Read the command line; what depends on the device is filled in."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--precision", help="default: bfloat16 on a GPU, float32 on a CPU")
    options.add_argument("--fraction", type=int, help="of the networks' width, the denominator")
    options.add_argument("--images", type=int)
    options.add_argument("--steps", type=int)
    options.add_argument("--side", type=int, help="of the canvas, pixels")
    options.add_argument("--batch-size", type=int)
    options.add_argument("--repeats", type=int)
    options.add_argument("--quick", action="store_true", help="see that it runs; writes nothing")
    found = options.parse_args()
    on_gpu = found.device.startswith("cuda")
    defaults: dict[str, Any] = {
        "precision": "bfloat16" if on_gpu else "float32",
        "fraction": 1 if on_gpu else 16 if found.quick else 4,
        "images": 16 if on_gpu else 2,
        "steps": 40 if on_gpu else 2 if found.quick else 8,
        "side": 512 if on_gpu else 128 if found.quick else 256,
        "batch_size": 32 if on_gpu else 8,
        "repeats": 1 if found.quick else 3 if on_gpu else 5,
    }
    return harness.fill_in(found, defaults)


def main() -> None:
    """Print the figures and write the results."""
    arguments = parse()
    if not arguments.device.startswith("cuda"):
        harness.pin_to_one_core()
    options = {name: value for name, value in vars(arguments).items() if name != "quick"}
    found = {"options": options, **sides(arguments), "flops": counted()}
    found |= harness.gpu(arguments.device)
    for name, times in found["sides"].items():
        print(f"{name:<12}{times['items_per_second']:10.2f} images/s")
    print(f"{found['times_as_fast']} times as fast; {found['flops']}")
    if not arguments.quick:
        packages = {package: version_of(package) for package in ("transformers", "diffusers")}
        print(harness.write(harness.name_on("attention", found), {"packages": packages, **found}))


if __name__ == "__main__":
    main()
