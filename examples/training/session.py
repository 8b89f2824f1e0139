"""A whole run: its parts are built, it trains for the epochs that are left, and leaves what it has learned."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from training.augment import batch_transform
from training.average import moving_average
from training.board import Board
from training.config import TrainConfig
from training.data import Data, open_data
from training.interrupts import interruptible
from training.leaving import leave, origin
from training.lines import Lines
from training.loop import Trainer
from training.model import build_model, build_optimizer
from training.processes import Place, place, process_group
from training.run import Run
from training.schedule import Schedule


def train(config: TrainConfig, report: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Do a run, or what is left of it, in this process, or this process's part of torchrun's.

    Args:
        config: of the run.
        report: called with each line for people, in the first process.

    Returns: the row of results; empty if epochs are left, as of `stop_after`, and in all processes but the first. A
        run that is done already has its row from then, unless other measures are asked for.

    Raises:
        ForNetError: an option does not fit, or data are not as they must be.
        KeyboardInterrupt: somebody pressed Ctrl-C; whole epochs are kept.
    """
    here = place()
    data = open_data(config, here)  # before processes talk: preparing may take longer than they would wait
    with process_group(here):
        return _trained(config, here, data, report)


def _trained(config: TrainConfig, here: Place, data: Data, report: Callable[[str], None]) -> dict[str, Any]:
    """Do what `train` does, in a function of its own: nobody may hold the model once the processes' group is gone."""
    with interruptible() as stop:
        trainer = build(config, here, data, report, stop.check)
        run = Run(config, here)
        first, done = fit(trainer, run, data)
    if done < config.epochs:
        return {}
    kept = run.row if first == done else {}
    if origin(trainer).items() <= kept.items():
        return kept if here.is_first else {}
    return leave(trainer, run)


def build(
    config: TrainConfig, here: Place, data: Data, report: Callable[[str], None], check: Callable[[], None]
) -> Trainer:
    """Build model and optimizer on this process's device."""
    torch.manual_seed(config.seed)
    bare = build_model(config, data.classes).to(here.device)
    model: Any = torch.compile(bare) if config.compile else bare
    if here.world > 1:
        model = DistributedDataParallel(model, [here.device] if here.device.type == "cuda" else None)
    return Trainer(
        config=config,
        here=here,
        model=model,
        bare=bare,
        optimizer=build_optimizer(config, bare),
        schedule=Schedule(config),
        average=moving_average(bare, config.ema) if config.ema else None,
        mix=batch_transform(config, data.classes),
        report=report if here.is_first else lambda _: None,
        check=check,
    )


def fit(trainer: Trainer, run: Run, data: Data) -> tuple[int, int]:
    """Train for all epochs that are left of a run, or those of `stop_after`; return how many were, and are, done."""
    config, here = trainer.config, trainer.here
    first = run.restore(trainer)
    last = config.epochs if config.stop_after is None else min(config.epochs, first + config.stop_after)
    lines = Lines(config, here)
    trainer.report(lines.start(first, data.images, data.classes))
    board = Board(config, first) if config.tensorboard and here.is_first else None
    with nullcontext() if board is None else closing(board):
        for epoch in range(first, last):
            started = time.perf_counter()
            data.set_epoch(epoch)
            figures: dict[str, Any] = trainer.train(data.train, epoch)
            if (epoch + 1) % config.eval_every == 0 or epoch + 1 == config.epochs:
                figures.update(_evaluated(trainer, data))
            figures["seconds"] = time.perf_counter() - started
            run.finish_epoch(epoch, figures, trainer)
            trainer.report(lines.epoch(epoch, figures))
            if board is not None:
                board.epoch(epoch, figures)
    return first, max(first, last)


def _evaluated(trainer: Trainer, data: Data) -> dict[str, Any]:
    """Return the figures of each evaluation, and under `average` those of the moving average, if there is one."""
    figures: dict[str, Any] = {
        name: trainer.evaluate(trainer.bare, loader) for name, loader in data.evaluations.items()
    }
    if figures:
        trainer.schedule.note(next(iter(figures.values()))["loss"])
    if trainer.average is not None:
        figures["average"] = {
            name: trainer.evaluate(trainer.average, loader) for name, loader in data.evaluations.items()
        }
    return figures
