#!/usr/bin/env python
"""Separation of layers that nobody outlined: drawn objects on drawn grounds, from images alone to scored masks.

    python -m benchmarks.layers OUT [--preset cpu] [--minutes 8] [--device cuda]

OUT gets the drawn set and the training, whose progress/ shows the layers. README.md says what is measured, and how.
The same command again goes on where the last one ended, until --kimg are done; then the samples of the last generator
train a segmenter, whose masks of images that nothing has seen are scored. The figures go to
`results/layers_PRESET_seed_SEED_MODEL.json`, named after the GPU if there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

import train_layers  # noqa: E402 - the folders above come first
from benchmarks import harness  # noqa: E402
from benchmarks.drawn import write  # noqa: E402
from producers.layers.settings import LayerSettings  # noqa: E402
from producers.training.run import TrainingRun  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a run's figures depend on.

    Attributes:
        side: of the drawn images, pixels.
        images: to train on.
        held: images that are scored.
        samples: that the segmenter learns from.
        words: options of train_layers.py.
        unet: values of the segmenter's training.
    """

    side: int
    images: int
    held: int
    samples: int
    words: str
    unet: str


_SET = "--shift .25 --binary 1 --size 10 --least .2 --most .45"
"""As the preset `cpu`: objects lie as far from the middle as this moves them, and fill a fifth of their image."""

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "cpu": Plan(
            side=16,
            images=4000,
            held=500,
            samples=4000,
            words="--preset cpu --precision float32",
            unet="widths=16,32,64 side=16 steps=100 every=100 batch-size=32",
        ),
        "gpu": Plan(
            side=64,
            images=8000,
            held=1000,
            samples=10_000,
            words=f"--preset gpu --batch-size 128 --gamma .3 {_SET} --kimg 400 --every 20",
            unet="steps=3000 every=500 decay-at=2000",
        ),
        "quick": Plan(
            side=16,
            images=64,
            held=16,
            samples=64,
            words="--preset quick --precision float32 --kimg 1",
            unet="widths=4,8 side=16 steps=4 every=2 batch-size=8",
        ),
    }
)


_SCORES = ("measure", "part", "value", "low", "high", "n")
_COURSE = ("kimg", "mask", "binary", "images_per_second")


def words_of(out: Path, plan: Plan, arguments: argparse.Namespace, minutes: float) -> list[str]:
    """The command line of train_layers.py, for a training of so many minutes."""
    held = [str(out / "held" / kind) for kind in ("images", "masks")]
    unet = [word for value in plan.unet.split() for word in ("--unet", value)]
    after = ["--auto", "--n", str(plan.samples), "--truth", *held, *unet]
    where = ["--device", arguments.device, "--minutes", str(minutes), "--seed", str(arguments.seed)]
    words = f"{plan.words} {arguments.more}".split()
    return [str(out / "train" / "images"), str(out / "training"), *words, *after, *where]


def separated(out: Path, plan: Plan, arguments: argparse.Namespace) -> dict[str, Any]:
    """Draw the set, train, and go through the chain if the training has ended; the figures that there are."""
    end = time.monotonic() + 60 * arguments.minutes
    for name, count, seed in (("train", plan.images, 0), ("held", plan.held, 3)):
        if not (out / name / "masks" / f"{count - 1:05}.png").is_file():
            write(out / name, count, plan.side, seed)
    words = words_of(out, plan, arguments, max(0.0, (end - time.monotonic()) / 60))
    if train_layers.main(words):
        raise SystemExit("the training failed")
    settings: LayerSettings = train_layers.asked(train_layers.parser().parse_args(words))
    lines = TrainingRun(out / "training").figures()
    found: dict[str, Any] = {
        "settings": f"{plan.words} {arguments.more}".strip(),
        "seed": arguments.seed,
        "side": plan.side,
        "images": plan.images,
        "course": [{name: line[name] for name in _COURSE} for line in lines if "kept" in line],
        "ended": bool(lines) and lines[-1]["step"] >= settings.steps,
    }
    for path in sorted((out / "training" / "auto").glob("*/chain.json")):
        chain = json.loads(path.read_text(encoding="utf-8"))
        found["on_samples"] = chain["made"]
        found["on_held_images"] = [{name: _rounded(value[name]) for name in _SCORES} for value in chain["real"]]
    return found


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; what depends on the device is filled in."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("out", type=Path, metavar="OUT")
    options.add_argument("--preset", choices=[*PLANS])
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument(
        "--minutes", type=float, default=8.0, help="of drawing and training, in this run (%(default)s)"
    )
    options.add_argument("--seed", type=int, default=0)
    text = "options of train_layers.py in place of the preset's, in quotes: nothing is written"
    options.add_argument("--with", dest="more", default="", metavar="OPTIONS", help=text)
    found = options.parse_args(argv)
    return harness.fill_in(found, {"preset": "gpu" if found.device == "cuda" else "cpu"})


def main() -> None:
    """Print the figures and write the results of a training that has ended."""
    arguments = parse()
    found = separated(arguments.out, PLANS[arguments.preset], arguments) | harness.gpu(arguments.device)
    print(json.dumps(found, indent=2))
    if found["ended"] and arguments.preset != "quick" and not arguments.more:
        harness.write(harness.name_on(f"layers_{arguments.preset}_seed_{arguments.seed}", found), found)


if __name__ == "__main__":
    main()
