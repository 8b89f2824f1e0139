#!/usr/bin/env python
"""Make images of a prompt by a diffusion model: of an object, or of backgrounds, as it learnt them.

    python build/sample_diffusion.py OUT/model IMAGES --count 1000 --class bird
    python build/sample_diffusion.py OUT/model GROUNDS --count 1000 --concept background
    python build/segment.py IMAGES RUN ...

MODEL is what finetune_background.py made, whose prompts it knows; any other model needs --prompt. Images are
written as {IMAGES}/train/CLASS/CLASS_NUMBER.JPEG, so that segment.py and train_segmenter.py read them. Each depends
on its number and the seed alone: several GPUs make one set by commands with another --first. A command that was
interrupted goes on where it was when it is given again.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from fornet_hf.arguments import require
from fornet_hf.errors import ForNetError
from fornet_hf.files import atomic_path
from fornet_hf.format.keys import plain_name
from fornet_hf.packages import needing
from fornet_hf.progress import progress
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import PRECISIONS, Placement
from producers.diffusion.concepts import Concepts
from producers.diffusion.steps import grid
from producers.training.noted import note_settings
from producers.work.command import described, finish, natural, positive

CONCEPTS = ("object", "background")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("model", metavar="MODEL", help="folder, or MODEL@REVISION on the Hub")
    result.add_argument("out", type=Path, metavar="IMAGES", help="folder of the images; made if it is not there")
    result.add_argument("--count", type=positive, required=True, help="images")
    result.add_argument("--first", type=natural, default=0, help="number of the first one (%(default)s)")
    text = "which of the model's two prompts (default: %(default)s)"
    result.add_argument("--concept", choices=CONCEPTS, default=CONCEPTS[0], help=text)
    result.add_argument("--prompt", metavar="TEXT", help="in place of it")
    result.add_argument("--class", dest="name", metavar="NAME", help="of the images' folder; default: the concept")
    group = result.add_argument_group("sampling")
    group.add_argument("--guidance", type=float, default=1.0, help="weight against the other prompt (%(default)s)")
    group.add_argument("--steps", type=positive, default=50, help="of DDIM (%(default)s)")
    group.add_argument("--side", type=int, default=512, help="of the images, pixels (%(default)s)")
    group.add_argument("--seed", type=natural, default=0, help="of the noise (%(default)s)")
    machine = result.add_argument_group("machine")
    machine.add_argument("--device", default="cuda", help="of torch, such as cuda:1 or cpu (%(default)s)")
    machine.add_argument("--precision", choices=PRECISIONS, default="bfloat16", help="default: %(default)s")
    machine.add_argument("--batch-size", type=positive, default=16, help="halved when memory runs out (%(default)s)")
    return result


@dataclass(frozen=True)
class Summary:
    """A run's result: images that were made now, and that there were before."""

    made: int
    before: int

    def summary(self) -> str:
        """Return a line for people."""
        return f"{self.made} images made" + (f", {self.before} were there" if self.before else "")


def sample(arguments: argparse.Namespace) -> Summary:
    """Do what the command line says.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    require(arguments.side >= 64 and arguments.side % 64 == 0, "--side", arguments.side, "a multiple of 64")
    require(arguments.guidance >= 0, "--guidance", arguments.guidance, "0 or more")
    grid(arguments.steps)  # refuses more than there are
    name = plain_name(arguments.name or arguments.concept, "class")
    with needing("sampling", "torch 'diffusers>=0.40' transformers accelerate"):
        placement = Placement(arguments.device, arguments.precision)
        from producers.diffusion.model import load
        from producers.diffusion.sampling import sampled

        where, _, revision = arguments.model.partition("@")
        wanted, other = _prompts(arguments, where, revision or None)
        model = load(placement, where, revision or None)
    options = {option: getattr(arguments, option) for option in ("seed", "side", "steps", "guidance")}
    made_with = {"model": model.source, "prompt": wanted, "precision": arguments.precision, **options}
    note_settings(arguments.out / f"{name}.json", made_with)
    tokens, opposite = model.encoded([wanted]), model.encoded([other])
    numbers = range(arguments.first, arguments.first + arguments.count)
    paths = {number: arguments.out / "train" / name / f"{name}_{number:06}.JPEG" for number in numbers}
    waiting, size = [number for number in numbers if not paths[number].is_file()], BatchSize(arguments.batch_size)
    make = partial(sampled, model, tokens, opposite=opposite, **options)
    windows = [waiting[start : start + size.value] for start in range(0, len(waiting), size.value)]
    for window in progress(windows, "sampling", "batches"):
        for number, raster in zip(window, run_batched(window, make, size=size), strict=True):
            with atomic_path(paths[number]) as temporary:
                Image.fromarray(raster).save(temporary, "JPEG", quality=95, subsampling=0)
    return Summary(len(waiting), len(numbers) - len(waiting))


def _prompts(arguments: argparse.Namespace, model: str, revision: str | None) -> tuple[str, str]:
    """Return the prompt, and the one that guidance leads away from."""
    if arguments.prompt is not None:
        return arguments.prompt, ""
    concepts = Concepts.read(model, revision)
    both = concepts.object, concepts.background
    return both if arguments.concept == CONCEPTS[0] else both[::-1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(sample, arguments), arguments.out, known=(ForNetError,))


if __name__ == "__main__":
    sys.exit(main())
