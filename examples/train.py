#!/usr/bin/env python
"""Train a classifier on ForNet, with one process or with torchrun's; `--plain` trains on the original images.

    torchrun --nproc-per-node 8 examples/train.py --out runs/vit-s --model timm:vit_small_patch16_224

Prints a line for each epoch. The run's folder gets config.json, metrics.jsonl (the same for programs) and
checkpoint.pt. The same command again goes on from the checkpoint. Exit status: 0 done, 1 an error that a message
explains, 2 a wrong command line, 130 interrupted. examples/README.md has the settings for ImageNet.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from fornet_hf.errors import ForNetError
from training.augment import batch_transform
from training.config import TrainConfig, parse
from training.data import Data, open_data
from training.interrupts import Stop, interruptible
from training.lines import Lines
from training.loop import Trainer
from training.model import build_model, build_optimizer
from training.processes import Place, place, process_group
from training.run import Run


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return the exit status."""
    here = place()
    try:
        config = parse(arguments)
        data = open_data(config, here)  # before processes talk: preparing may take longer than they would wait
        with interruptible() as stop, process_group(here):
            train(config, here, data, stop)
    except ForNetError as error:
        if here.is_first:
            print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if here.is_first:
            print("interrupted; the same command goes on after the last whole epoch", file=sys.stderr)
        return 130
    return 0


def train(config: TrainConfig, here: Place, data: Data, stop: Stop) -> None:
    """Train for all epochs that are left of a run."""
    trainer = build(config, here, data, stop)
    run = Run(config, here)
    first = run.restore(trainer.bare, trainer.optimizer, here.device)
    last = config.epochs if config.stop_after is None else min(config.epochs, first + config.stop_after)
    lines = Lines(config, here)
    trainer.report(lines.start(first, data.images, data.classes))
    for epoch in range(first, last):
        started = time.perf_counter()
        data.set_epoch(epoch)
        figures: dict[str, Any] = trainer.train(data.train, epoch)
        if (epoch + 1) % config.eval_every == 0 or epoch + 1 == config.epochs:
            figures.update({name: trainer.evaluate(loader) for name, loader in data.evaluations.items()})
        figures["seconds"] = time.perf_counter() - started
        run.finish_epoch(epoch, figures, trainer.bare, trainer.optimizer)
        trainer.report(lines.epoch(epoch, figures))


def build(config: TrainConfig, here: Place, data: Data, stop: Stop) -> Trainer:
    """Build model and optimizer on this process's device."""
    torch.manual_seed(config.seed)
    bare = build_model(config, data.classes).to(here.device)
    model: Any = torch.compile(bare) if config.compile else bare
    if here.world > 1:
        model = DistributedDataParallel(model, [here.device] if here.device.type == "cuda" else None)

    def report(line: str) -> None:
        if here.is_first:
            print(line, flush=True)

    return Trainer(
        config=config,
        here=here,
        model=model,
        bare=bare,
        optimizer=build_optimizer(config, bare),
        mix=batch_transform(config, data.classes),
        report=report,
        check=stop.check,
    )


if __name__ == "__main__":
    sys.exit(main())
