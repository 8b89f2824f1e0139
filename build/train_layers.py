#!/usr/bin/env python
"""Learn to paint foreground, mask and background of one kind of object, from images without any mask.

    python build/train_layers.py IMAGES OUT
    python build/train_layers.py IMAGES OUT --preset cpu --kimg 100
    python build/train_layers.py IMAGENET OUT --class n02123045 --split train --fid 10000
    python build/train_layers.py IMAGES OUT --auto --n 10000 --truth REAL_IMAGES MASKS
    accelerate launch build/train_layers.py birds OUT --drc --side 128 --batch-size 64

IMAGES are a folder of images of one kind, at any depth, each with one object; with --class a set laid out as for
segment.py; with --drc the folder birds, dogs or cars of Deep Region Competition. The centre square of each image is
kept small in OUT/squares, as it was first read: give another OUT when images have changed.

OUT gets generators/NNNNNN.safetensors after each --every thousands of images (kimg), progress/NNNNNN.png that shows
what they paint, the figures of each thousand in log.jsonl, and a checkpoint. A training that was interrupted, or
whose --minutes were over, goes on as if nothing had been when the same command is given again; --kimg, --lr and
--every may be others then, but a schedule stretches with --kimg.

After the training, --auto takes the generator with the lowest FID up to --until-kimg, and OUT/auto gets samples of
it, a segmenter that learns from them, and its scores on the images of --truth. Each step goes on where it was.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.arguments import require
from fornet_hf.format.manifest import SPLITS
from fornet_hf.packages import needing
from layers_chain import add_chain, chain, check_chain
from producers.layers.settings import FREE, LayerSettings, add_options, asked
from producers.layers.sources import images_asked
from producers.layers.squares import SquareStore, make_squares
from producers.training.machine import PRECISIONS, accelerator, first_alone, share
from producers.training.run import TrainingRun
from producers.training.stopping import Stopping
from producers.work.command import Summary, add_columns, columns_asked, described, finish

if TYPE_CHECKING:
    from accelerate import Accelerator

    from producers.layers.training import Outcome


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the images")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of the training; made if it is not there")
    result.add_argument("--class", dest="class_name", metavar="NAME", help="of a labelled set: learn from this class")
    result.add_argument("--split", choices=(*SPLITS, "val", "all"), default="all", help="of the class (%(default)s)")
    result.add_argument("--drc", action="store_true", help="IMAGES are birds, dogs or cars as DRC has selected them")
    add_columns(result)
    add_options(result)
    add_chain(result)
    text = "weights of Inception for --fid, as torch-fidelity publishes them; default: it downloads them"
    result.add_argument("--inception", type=Path, metavar="FILE", help=text)
    machines = result.add_argument_group("machines")
    machines.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: %(default)s")
    machines.add_argument("--precision", choices=[*PRECISIONS], default="bfloat16", help="default: %(default)s")
    machines.add_argument("--compile", action="store_true", help="let torch.compile make the networks faster")
    machines.add_argument(
        "--minutes", type=float, help="end after these, with a checkpoint; default: when all is done"
    )
    return result


def work(arguments: argparse.Namespace) -> Summary:
    """Do what the command line says: train, and then the chain if it is asked for and all steps are done.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    check_chain(arguments)
    outcome = train(arguments)
    if not (arguments.auto and outcome.complete):
        return outcome
    print(outcome.summary())
    return chain(arguments.out, arguments)


def train(arguments: argparse.Namespace) -> Outcome:
    """Train, or go on with it.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    fits = arguments.minutes is None or 0 <= arguments.minutes < math.inf
    require(fits, "--minutes", arguments.minutes, "0 or more")
    stopping = Stopping(arguments.minutes)
    settings = asked(arguments)
    machine = accelerator(arguments.device, arguments.precision)
    share(range(settings.batch_size), 0, machine.num_processes)  # refuses a batch that cannot be shared
    run = TrainingRun(arguments.out, writes=machine.is_main_process)
    source = _source(arguments)
    noted = {**asdict(settings), "precision": arguments.precision, **source}
    if (run.folder / "config.json").is_file():
        run.begin(noted, FREE)  # before the squares of the training that is there are replaced by others
    with needing("training layers", "torch safetensors accelerate"):
        with machine.main_process_first():
            squares = _stored(arguments, settings, source)
        outcome = _trained(arguments, settings, machine, squares, run, noted, stopping)
    machine.end_training()
    return outcome


def _trained(
    arguments: argparse.Namespace,
    settings: LayerSettings,
    machine: Accelerator,
    squares: SquareStore,
    run: TrainingRun,
    noted: Mapping[str, Any],
    stopping: Stopping,
) -> Outcome:
    from producers.layers.features import Scorer
    from producers.layers.training import LayerTrainer

    scores = settings.fid and machine.is_main_process
    scorer = Scorer(squares, arguments.inception, machine.device) if scores else None
    made_of = {"squares": len(squares), "squares_sha256": squares.index["sha256"]}
    trained = {"preset": arguments.preset, **noted, **made_of}
    trainer = LayerTrainer(settings, squares, run, machine, trained, scorer=scorer, compiled=arguments.compile)
    run.begin(noted, FREE)  # now that all is there that it needs: a command that could not begin may be put right
    with stopping:
        return trainer.train(stopping)


def _source(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the images are read from, as JSON."""
    return {
        "images": str(arguments.images),
        "class": arguments.class_name,
        "split": arguments.split,
        "drc": arguments.drc,
        "columns": asdict(columns_asked(arguments)),
    }


def _stored(arguments: argparse.Namespace, settings: LayerSettings, source: Mapping[str, Any]) -> SquareStore:
    """Return the squares, read if this was not done before."""
    request, folder = {**source, "side": settings.side}, arguments.out / "squares"
    if (known := SquareStore.opened(folder, request)) is not None:
        return known
    images = images_asked(
        arguments.images,
        name=arguments.class_name,
        split=arguments.split,
        drc=arguments.drc,
        columns=columns_asked(arguments),
    )
    store = make_squares(folder, request, images, settings.side)
    for line in store.said():
        print(line, file=sys.stderr)
    return store


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    with first_alone():
        return finish(partial(work, arguments), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
