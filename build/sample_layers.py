#!/usr/bin/env python
"""Make images with masks by a generator of layers: what a segmenter learns from, or a labelled set with patches.

    python build/sample_layers.py TRAINING SAMPLES --count 10000
    python build/train_segmenter.py SAMPLES/images SAMPLES/masks UNET --preset layers
    python build/sample_layers.py TRAINING SAMPLES --count 10000 --class bird --patches

TRAINING is the folder of train_layers.py, whose generator with the lowest FID is taken (the last one if none has an
FID), or a generator's file. Images are written as {SAMPLES}/images/train/CLASS/CLASS_NUMBER.png and masks as
{SAMPLES}/masks/CLASS_NUMBER.png. With --patches, SAMPLES/patches becomes a release that applies to these images:
objects from the foreground, backgrounds as the generator has painted them, behind the object, too. Samples without
an object have no patch. A second command with another --class adds a kind of object; give --patches with the last.

Each sample depends on the generator, its number and the seed alone: several GPUs make one set by commands with
another --first. A command that was interrupted goes on where it was when it is given again.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fornet_hf.arguments import is_number, require
from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.files import sha256_of
from fornet_hf.format.keys import plain_name, valid_key
from fornet_hf.packages import needing
from fornet_hf.progress import progress
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.layers.release import LayersSettings, layers_shard
from producers.layers.written import (
    BACKGROUNDS,
    EMPTY,
    FOREGROUNDS,
    FULL,
    IMAGES,
    MASKS,
    Sample,
    SampleFolder,
    write_samples,
)
from producers.training.noted import note_settings
from producers.work.command import described, finish, natural, positive
from producers.work.remaining import make_release
from producers.work.report import Report

NOTES = "samples"
"""The folder that says how the samples of each class were made."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("training", type=Path, metavar="TRAINING", help="folder of a training, or a generator's file")
    result.add_argument("out", type=Path, metavar="SAMPLES", help="folder of the samples; made if it is not there")
    result.add_argument("--count", type=positive, required=True, help="samples")
    result.add_argument("--first", type=natural, default=0, help="number of the first one (%(default)s)")
    result.add_argument("--class", dest="name", metavar="NAME", default="object", help="of the object (%(default)s)")
    result.add_argument("--layers", action="store_true", help="write foregrounds and backgrounds, too")
    result.add_argument("--patches", action="store_true", help="make patches, of all classes in SAMPLES")
    group = result.add_argument_group("sampling")
    text = "take a generator of so many thousands of images at most; default: any"
    group.add_argument("--until-kimg", type=positive, metavar="K", help=text)
    text = "distance from the mean style that is kept: 1 is all variety, less is more alike (%(default)s)"
    group.add_argument("--truncation", type=float, default=1.0, metavar="SHARE", help=text)
    text = "share of the side by which objects are moved at most; default: that of the training, which judged them so"
    group.add_argument("--shift", type=float, metavar="SHARE", help=text)
    group.add_argument("--seed", type=natural, default=0, help="of the latents (%(default)s)")
    machine = result.add_argument_group("machine")
    machine.add_argument("--device", default="cuda", help="of torch, such as cuda:1 or cpu (%(default)s)")
    machine.add_argument("--batch-size", type=positive, default=128, help="halved when memory runs out (%(default)s)")
    machine.add_argument("--workers", type=positive, help="that make patches; default: MAX_WORKERS, else all CPUs")
    return result


@dataclass(frozen=True)
class Summary:
    """A run's result.

    Attributes:
        kinds: samples that were made now, by kind.
        before: samples that there were before.
        report: of the patches, if they were asked for.
    """

    kinds: Mapping[str, int]
    before: int
    report: Report | None = field(default=None)

    def summary(self) -> str:
        """Return a line for people, and one of the patches."""
        others = [f"{self.kinds[kind]} {kind}" for kind in (EMPTY, FULL) if self.kinds.get(kind)]
        there = [f"{self.before} were there"] if self.before else []
        line = ", ".join([f"{sum(self.kinds.values())} samples made", *others, *there])
        return line + (f"\npatches: {self.report.summary()}" if self.report else "")


def sample(arguments: argparse.Namespace) -> Summary:
    """Do what the command line says.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    require(0 <= arguments.truncation <= 1, "--truncation", arguments.truncation, "0 to 1")
    require(arguments.shift is None or 0 <= arguments.shift <= 1, "--shift", arguments.shift, "0 to 1")
    name = plain_name(arguments.name, "class")
    require(valid_key(name) == name, "--class", name, "a name that every file system takes")
    placement = Placement(arguments.device)
    file = generator_file(arguments.training, arguments.until_kimg)
    shift = _shift(file) if arguments.shift is None else arguments.shift
    kinds = (
        IMAGES,
        MASKS,
        *[FOREGROUNDS] * arguments.layers,
        *[BACKGROUNDS] * (arguments.layers or arguments.patches),
    )
    folder = SampleFolder(arguments.out, name, kinds)
    numbers = range(arguments.first, arguments.first + arguments.count)
    waiting = [number for number in numbers if not folder.has(number)]
    made_with = {
        "generator": file.name,
        "sha256": sha256_of(file),
        "seed": arguments.seed,
        "truncation": arguments.truncation,
        "shift": shift,
    }
    note_settings(arguments.out / NOTES / f"{name}.json", made_with)
    made = Counter[str]()
    if waiting:
        with needing("sampling", "torch safetensors"):
            samples = _drawn(arguments, file, shift, placement, waiting)
            made = write_samples(folder, samples)
    before = len(numbers) - len(waiting)
    return Summary(made, before, _patches(arguments) if arguments.patches else None)


def generator_file(training: Path, until: int | None) -> Path:
    """Return the file of the generator: a training's best, or the one that is named itself.

    Raises:
        ForNetError: there is none.
    """
    if training.is_file():
        if until is not None:
            found = f"{training}, which is one generator"
            raise ConfigurationError(explain("--until-kimg chooses from a training", found=found))
        return training
    from producers.layers.chosen import chosen

    return chosen(training, until)


def _shift(file: Path) -> float:
    """Return the shift of a generator's training; 0: its card does not say it."""
    with needing("sampling", "torch safetensors"):
        from producers.layers.networks.files import read_card
    said = read_card(file).trained.get("shift", 0.0)
    return float(said) if is_number(said) and 0 <= said <= 1 else 0.0


def _drawn(
    arguments: argparse.Namespace, file: Path, shift: float, placement: Placement, numbers: Sequence[int]
) -> Iterator[tuple[int, Sample]]:
    """Yield numbered samples, batch by batch."""
    from producers.layers.networks.files import read_generator
    from producers.layers.samples import Sampler

    network, _ = read_generator(file)
    sampler = Sampler(network, placement, seed=arguments.seed, truncation=arguments.truncation, shift=shift)
    size = BatchSize(arguments.batch_size)
    windows = [numbers[start : start + size.value] for start in range(0, len(numbers), size.value)]
    for window in progress(windows, "sampling", "batches"):
        yield from zip(window, run_batched(window, sampler, size=size), strict=True)


def _patches(arguments: argparse.Namespace) -> Report:
    """Make a release of all samples in the folder; return the report over them."""
    notes = sorted((arguments.out / NOTES).glob("*.json"))
    made_with: dict[str, Any] = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in notes}
    return make_release(
        layers_shard,
        arguments.out / IMAGES,
        ["train"],
        LayersSettings(folder=arguments.out, made_with=made_with),
        arguments.out,
        shards=None,
        workers=arguments.workers,
        source=arguments.out.resolve().name,
        revision=None,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(sample, arguments), arguments.out, known=(ForNetError,))


if __name__ == "__main__":
    sys.exit(main())
