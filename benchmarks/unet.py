#!/usr/bin/env python
"""Images a second by a trained U-Net: the step from rasters to masks, one image at a time, and the network alone.

    python -m benchmarks.unet [--preset layers] [--device cuda] [--precision bfloat16] [--images 512]

The weights are random, and the images of ImageNet's usual sizes. README.md says what is measured, and how. The
figures go to `results/unet_PRESET_MODEL.json`, named after the GPU, or `unet_PRESET.json`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

from benchmarks import harness  # noqa: E402 - the folders above come first
from benchmarks.image_sizes import USUAL  # noqa: E402
from producers.devices.batches import BatchSize  # noqa: E402
from producers.devices.placement import Placement  # noqa: E402
from producers.distil.configuration import PRESETS, Training  # noqa: E402
from producers.scene import Scene  # noqa: E402
from producers.segment.networks.card import Card  # noqa: E402
from producers.segment.networks.files import built, drawn  # noqa: E402
from producers.segment.unet import TrainedUNet, shape_for  # noqa: E402


def scenes(count: int) -> list[Scene]:
    """Smooth images, so that the masks of random weights have few parts, as those of real ones have."""
    result = []
    for index in range(count):
        wide, high = USUAL[index % len(USUAL)]
        y, x = np.mgrid[:high, :wide]
        colours = [np.sin(x / (40 + 9 * c) + index) * np.cos(y / (50 + 7 * c)) for c in range(3)]
        raster = (127.5 * (1 + np.dstack(colours))).astype(np.uint8)
        result.append(Scene(key=f"image {index}", raster=raster, prompts=("a thing.",)))
    return result


def step_of(training: Training, placement: Placement, batch_size: int) -> TrainedUNet:
    """The step with random weights."""
    network = drawn(training.network, 0).eval().to(placement.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    card = Card(network=training.network, side=training.side)
    return TrainedUNet(
        network=network, card=card, digest="0" * 64, placement=placement, batch_size=BatchSize(batch_size)
    )


def flops(training: Training) -> float:
    """GFLOP of one image of 500 x 375: two for each product and its sum."""
    height, width = shape_for(375, 500, training.side, training.network.multiple)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        built(training.network).eval()(torch.empty(1, 3, height, width))
    return round(counter.get_total_flops() / 1e9, 2)


def sides(arguments: argparse.Namespace, training: Training) -> dict[str, Any]:
    """Measure all in turn."""
    placement = Placement(arguments.device, arguments.precision)
    step = step_of(training, placement, arguments.batch_size)
    images = scenes(arguments.images)
    few = images[: max(1, arguments.images // 8)]
    height, width = shape_for(375, 500, step.side, training.network.multiple)
    batch = np.zeros((min(arguments.batch_size, arguments.images), height, width, 3), np.uint8)
    expected = counts(step(images))

    def check(found: list[Scene]) -> None:
        compare(counts(found), expected)

    def alone() -> list[Scene]:
        return [step([scene])[0] for scene in few]

    cases = [
        harness.Case("network alone", lambda: step.maps([*batch]), len(batch), len),
        harness.Case("step", lambda: step(images), len(images), check),
        harness.Case("one by one", alone, len(few), check),
    ]
    times = harness.measure(cases, repeats=arguments.repeats, warm_up=1)
    return {"sides": times, "shape": [height, width], "gflop": flops(training)}


def counts(found: Sequence[Scene]) -> list[int]:
    """The number of masks of each scene."""
    return [len(scene.masks or ()) for scene in found]


def compare(found: Sequence[int], expected: Sequence[int]) -> None:
    """Raise a RuntimeError if masks were found in other scenes than those of the first time, which may be more.

    Batches of other sizes round otherwise on a GPU, which may tip the scale for one scene in a hundred.
    """
    others = sum(one != other for one, other in zip(found, expected, strict=False))
    if others > len(found) // 100:
        raise RuntimeError(f"masks of {others} of {len(found)} scenes differ from one time to another")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; what depends on the device is filled in."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--preset", choices=[*PRESETS], default="concept")
    options.add_argument("--widths", help="in place of the preset's, such as 8,16,32")
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--precision", help="default: bfloat16 on a GPU, float32 on a CPU")
    options.add_argument("--images", type=int)
    options.add_argument("--batch-size", type=int)
    options.add_argument("--repeats", type=int)
    options.add_argument("--quick", action="store_true", help="see that it runs; writes nothing")
    found = options.parse_args(argv)
    on_gpu = found.device.startswith("cuda")
    defaults: dict[str, Any] = {
        "widths": "4,8,8,8,8" if found.quick else None,
        "precision": "bfloat16" if on_gpu else "float32",
        "images": 1024 if on_gpu else 16,
        "batch_size": 256 if on_gpu else 8,
        "repeats": 1 if found.quick else 7 if on_gpu else 3,
    }
    return harness.fill_in(found, defaults)


def main() -> None:
    """Print the figures and write the results."""
    arguments = parse()
    if not arguments.device.startswith("cuda"):
        harness.pin_to_one_core()
    training = PRESETS[arguments.preset]
    if arguments.widths:
        widths = tuple(int(one) for one in arguments.widths.split(","))
        training = Training(**{**vars(training), "widths": widths})
    options = {name: value for name, value in vars(arguments).items() if name != "quick"}
    found = {"options": options, **sides(arguments, training)}
    found |= harness.gpu(arguments.device)
    for name, times in found["sides"].items():
        print(f"{name:<14}{times['items_per_second']:10.1f} images/s{times['median_ms']:10.2f} ms an image")
    print(f"{found['gflop']} GFLOP an image of {' x '.join(map(str, found['shape']))}")
    if not arguments.quick:
        print(harness.write(harness.name_on(f"unet_{arguments.preset}", found), found))


if __name__ == "__main__":
    main()
