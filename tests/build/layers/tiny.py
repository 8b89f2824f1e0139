"""Settings with which layers are learned in seconds, and what a training of them needs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from fornet_hf.sources import Columns
from producers.layers.settings import FREE, LayerSettings
from producers.layers.squares import SquareStore, make_squares
from producers.pairs.images import images_of
from producers.training.machine import accelerator
from producers.training.run import TrainingRun
from tests.build.distil.drawn import write_drawn

TINY = LayerSettings(
    side=16,
    latent=8,
    style=8,
    mapping=1,
    base=64,
    widest=8,
    kimg=1,
    batch_size=125,
    mirror=True,
    r1_every=3,
    every=1,
    augment_kimg=20,
)
"""8 steps; the discriminator's gradient is penalised in 3 of them."""


def squares(root: Path) -> SquareStore:
    images, _ = write_drawn(root, 12)
    return make_squares(root / "squares", {}, images_of(images, Columns()), 16)


def trainer(
    store: SquareStore, folder: Path, settings: LayerSettings = TINY, kind: Any = None, **options: Any
) -> Any:
    """A trainer on the CPU, in a folder that is begun, or goes on."""
    from producers.layers.training import LayerTrainer

    run = TrainingRun(folder)
    run.begin(dataclasses.asdict(settings), FREE)
    machine = accelerator("cpu", "float32")
    return (kind or LayerTrainer)(settings, store, run, machine, {"preset": "none"}, **options)
