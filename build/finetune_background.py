#!/usr/bin/env python
"""Teach Stable Diffusion an object and its background, so that it can tell one from the other.

    python build/finetune_background.py IMAGES RUN OUT --object bird
    accelerate launch --num_processes 4 build/finetune_background.py IMAGES RUN OUT --object bird
    python build/segment.py IMAGES RUN2 --refine inpaint-difference=background-diffusion=OUT/model ...

Half of the time the network sees a whole image and "a photo of a bird", else a random rectangle beside the object
and "a photo of a background". MASKS says where the object is: the folder of a run of segment.py, a release, or a
folder of PNG masks. OUT/model is what comes out, for every command that takes such a model: the average of the
weights, in the layout of diffusers, which needs nothing else.

OUT/progress has images that the model makes, OUT/log.jsonl the loss. A run that was killed goes on from its last
checkpoint when the same command is given again, also with more --steps, or another --lr after a loss that was no
number. The checkpoint takes four times the size of the network (14 GB for Stable Diffusion 1), twice while it is
written; each image about 0.2 MB, kept as it was first read: give another OUT when images or masks have changed.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, explain
from fornet_hf.packages import needing
from producers.devices.batches import is_out_of_memory
from producers.devices.placement import Placement
from producers.diffusion.concepts import Concepts
from producers.pairs.reading import Pairs, read_pairs
from producers.training.machine import PRECISIONS, accelerator, first_alone, share
from producers.training.run import TrainingRun
from producers.tuning.settings import FREE, MODEL, TuningSettings
from producers.work.command import add_columns, columns_asked, described, finish, positive

if TYPE_CHECKING:
    from accelerate import Accelerator

    from producers.diffusion.model import Diffusion


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the images")
    result.add_argument("masks", type=Path, metavar="MASKS", help="run, release, or folder of PNG masks")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of the training; made if it is not there")
    result.add_argument(
        "--object", required=True, metavar="NAME", help='what it is: bird, say, for "a photo of a bird"'
    )
    result.add_argument("--prompt", metavar="TEXT", help="of the object, in place of that one")
    text = "of the background (default: %(default)s)"
    result.add_argument("--background-prompt", default=Concepts.background, metavar="TEXT", help=text)
    text = "folder or MODEL@REVISION on the Hub (default: %(default)s)"
    result.add_argument("--model", default=MODEL, help=text)
    add_columns(result)
    group = result.add_argument_group("training")
    for name, kind, what in (
        ("steps", positive, "of the optimizer"),
        ("batch-size", positive, "images a step, of all processes together"),
        ("lr", float, "learning rate"),
        ("side", int, "of the square images, pixels"),
        ("seed", int, "of all that is drawn"),
    ):
        default = getattr(TuningSettings, name.replace("-", "_"))
        group.add_argument(f"--{name}", type=kind, default=default, help=f"{what} (%(default)s)")
    group.add_argument("--save-every", type=positive, default=2000, help="steps between checkpoints (%(default)s)")
    machines = result.add_argument_group("machines")
    machines.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: %(default)s")
    machines.add_argument("--precision", choices=PRECISIONS, default="bfloat16", help="default: %(default)s")
    machines.add_argument(
        "--micro-batch", type=positive, help="images at a time on a device; default: all of its part"
    )
    text = "compute activations again in place of keeping them: less memory, more work"
    machines.add_argument("--gradient-checkpointing", action="store_true", help=text)
    machines.add_argument("--dry-run", action="store_true", help="check all that can be checked without the model")
    return result


@dataclass(frozen=True)
class Summary:
    """A run's result: pairs of image and mask, what else was there, and the steps; None: it was but checked."""

    pairs: int
    unmatched: Mapping[str, int]
    steps: int | None

    def summary(self) -> str:
        """Return a line for people."""
        others = [f"{count} {what}" for what, count in self.unmatched.items() if count]
        done = "nothing trained" if self.steps is None else f"{self.steps} steps"
        return ", ".join([f"{self.pairs} pairs", *others, done])


def finetune(arguments: argparse.Namespace) -> Summary:
    """Do what the command line says.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    settings = _settings(arguments)
    machine = accelerator(arguments.device, settings.precision)
    share(range(settings.batch_size), 0, machine.num_processes)  # refuses a batch that cannot be shared
    pairs = read_pairs(arguments.images, arguments.masks, columns=columns_asked(arguments))
    chosen = _of_training(pairs)
    run = TrainingRun(arguments.out, writes=machine.is_main_process)
    digest = hashlib.blake2b(repr([pairs.keys[one] for one in chosen]).encode(), digest_size=16).hexdigest()
    noted = {**settings.to_json(), "pairs": {"count": len(chosen), "digest": digest}}
    replace(run, writes=False).begin(noted, FREE)  # only looks whether another training is there
    if arguments.dry_run:
        return Summary(len(chosen), pairs.unmatched, None)
    with needing("fine-tuning", "torch 'diffusers>=0.40' transformers accelerate"):
        from producers.diffusion.model import load

        model = load(Placement(str(machine.device)), settings.model, settings.revision)
        run.begin(noted, FREE)  # not before: a command that named another model may be put right
        _train(arguments, settings, machine, model, pairs, chosen, run)
    return Summary(len(chosen), pairs.unmatched, settings.steps)


def _settings(arguments: argparse.Namespace) -> TuningSettings:
    concepts = replace(Concepts.of(arguments.object), background=arguments.background_prompt)
    model, _, revision = arguments.model.partition("@")
    names = ("steps", "batch_size", "lr", "side", "seed", "precision")
    return TuningSettings(
        concepts=replace(concepts, object=arguments.prompt) if arguments.prompt else concepts,
        model=model,
        revision=revision or None,
        **{name: getattr(arguments, name) for name in names},
    )


def _of_training(pairs: Pairs) -> list[int]:
    """Return which pairs are of the split for training, or of none.

    Raises:
        NotFoundError: there are none.
    """
    chosen = [index for index, split in enumerate(pairs.splits) if split in ("", "train")]
    if not chosen:
        what, then = "no image with a mask is for training", "Segment the training images: --split train."
        raise NotFoundError(
            explain(what, found=sorted(set(pairs.splits)), allowed="the split train, or none", then=then)
        )
    return chosen


def _train(
    arguments: argparse.Namespace,
    settings: TuningSettings,
    machine: Accelerator,
    model: Diffusion,
    pairs: Pairs,
    chosen: Sequence[int],
    run: TrainingRun,
) -> None:
    from producers.tuning.posteriors import Posteriors, encode
    from producers.tuning.tuner import Tuner

    if arguments.gradient_checkpointing:
        model.unet.enable_gradient_checkpointing()
    folder, part = arguments.out / "posteriors", (machine.process_index, machine.num_processes)
    shown = {"total": len(chosen) // part[1], "unit": "image", "disable": not run.writes or None}
    with tqdm(desc="encoding", **shown) as bar, machine.autocast():
        for done in encode(pairs, chosen, folder, model, settings.side, part=part):
            bar.update(done)
    machine.wait_for_everyone()
    options = {"save_every": arguments.save_every, "micro_batch": arguments.micro_batch}
    try:
        Tuner(machine, model, Posteriors.of(folder), settings, run, **options).train()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        then = "Give --micro-batch 1, --gradient-checkpointing or more GPUs; what was begun goes on."
        raise ConfigurationError(explain("the training does not fit into the device's memory", then=then)) from error
    machine.end_training()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    with first_alone():
        return finish(partial(finetune, arguments), arguments.out / "model", known=(ForNetError,))


if __name__ == "__main__":
    sys.exit(main())
