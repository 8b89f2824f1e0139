#!/usr/bin/env python
"""Train a segmenter on images and masks: of a run, of a release, or of a folder of PNG files.

    python build/train_segmenter.py IMAGES RUN OUT
    python build/train_segmenter.py IMAGES MASKS OUT --preset layers --steps 3000
    accelerate launch build/train_segmenter.py IMAGES RUN OUT --batch-size 64
    python build/segment.py IMAGES RUN2 --segmenter unet=OUT/segmenter.safetensors

IMAGES are laid out as for segment.py; beside PNG masks any folder of images will do, whose names are theirs. OUT gets
segmenter.safetensors, which is the best by IoU on pairs that are held back, a sheet of predictions and a checkpoint
at each evaluation, and a log. A training that was interrupted goes on when the same command is given again. Small
pairs are kept in OUT/pairs, of about 90 kB each at 128 pixels, as they were first read: give another OUT when images
or masks have changed.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from fornet_hf.evaluation.masks.layouts import LAYOUTS
from fornet_hf.packages import needing
from producers.distil.configuration import Training, add_options, asked
from producers.distil.store import TRAIN, VALIDATION, PairStore, make_store, split_pairs
from producers.pairs.reading import Pairs, read_pairs
from producers.training.machine import PRECISIONS, accelerator, first_alone, share
from producers.training.run import TrainingRun
from producers.work.command import Summary, add_columns, columns_asked, described, finish


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the images")
    result.add_argument("masks", type=Path, metavar="MASKS", help="a run, a release, or a folder of PNG masks")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of the training; made if it is not there")
    pair: dict[str, Any] = {"nargs": 2, "type": Path, "metavar": ("IMAGES", "MASKS")}
    result.add_argument("--also", action="append", default=[], help="more to train on, such as made ones", **pair)
    result.add_argument("--validate", help="hold these back, in place of a share or of the set's own", **pair)
    result.add_argument("--layout", choices=LAYOUTS, help="of all MASKS that are no run, if they are a public set")
    result.add_argument("--threshold", type=int, help="of all PNG masks: level above which grey is the object")
    add_columns(result)
    add_options(result)
    machines = result.add_argument_group("machines")
    machines.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default: %(default)s")
    machines.add_argument("--precision", choices=[*PRECISIONS], default="bfloat16", help="default: %(default)s")
    return result


def train(arguments: argparse.Namespace) -> Summary:
    """Do what the command line says.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    training = asked(arguments)
    machine = accelerator(arguments.device, arguments.precision)
    share(range(training.batch_size), 0, machine.num_processes)  # refuses a batch that cannot be shared
    run = TrainingRun(arguments.out, writes=machine.is_main_process)
    sources = _sources(arguments)
    settings = {**asdict(training), "precision": arguments.precision, **sources}
    begin = partial(run.begin, settings, frozenset({"lr", "steps", "every"}))
    if (run.folder / "config.json").is_file():
        begin()  # before the pairs of the training that is there are replaced by others
    with machine.main_process_first():
        store = _stored(arguments, training, sources)
    trained = {
        "preset": arguments.preset,
        **asdict(training),
        "precision": arguments.precision,
        "pairs": {name: len(numbers) for name, numbers in store.splits.items()},
        "pairs_sha256": store.index["sha256"],
        **sources,
    }
    with needing("training a segmenter", "torch safetensors accelerate"):
        from producers.distil.training import Trainer

        trainer = Trainer(training, store, run, machine, trained)
        begin()  # now that its network is there: a command that could not begin may be put right
        best = trainer.train()
    machine.end_training()
    return best


def _sources(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the pairs are read from, as JSON."""
    pairs = [(arguments.images, arguments.masks), *map(tuple, arguments.also)]
    held = [tuple(arguments.validate)] if arguments.validate else []
    named = {"train": pairs, "validate": held}
    return {
        **{name: [[str(path) for path in one] for one in those] for name, those in named.items()},
        "layout": arguments.layout,
        "mask_threshold": arguments.threshold,
        "columns": asdict(columns_asked(arguments)),
    }


def _stored(arguments: argparse.Namespace, training: Training, sources: Mapping[str, Any]) -> PairStore:
    """Return the small pairs, read if this was not done before."""
    request = {**sources, **{name: getattr(training, name) for name in ("side", "validation", "most", "seed")}}
    folder = arguments.out / "pairs"
    if (known := PairStore.opened(folder, request)) is not None:
        return known
    split = partial(split_pairs, share=training.validation, most=training.most, seed=training.seed)
    main, *also = sources["train"]
    uses = [(main, TRAIN if arguments.validate else None), *((one, TRAIN) for one in also)]
    uses += [(one, VALIDATION) for one in sources["validate"]]
    chosen = [
        (pairs, split(pairs, only=only)) for pairs, only in ((_read(arguments, one), only) for one, only in uses)
    ]
    store = make_store(folder, request, chosen, training.side)
    unmatched = sum((Counter(pairs.unmatched) for pairs, _ in chosen), Counter[str]())
    for line in (*(f"left out, {reason}: {count:,}" for reason, count in unmatched.items()), *store.said()):
        print(line, file=sys.stderr)
    return store


def _read(arguments: argparse.Namespace, pair: Sequence[str]) -> Pairs:
    images, masks = map(Path, pair)
    return read_pairs(
        images, masks, layout=arguments.layout, threshold=arguments.threshold, columns=columns_asked(arguments)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    with first_alone():
        return finish(partial(train, arguments), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
