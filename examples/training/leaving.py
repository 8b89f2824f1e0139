"""The things that a run leaves: weights, the adapter, a report of what it measured, and a row of results."""

from __future__ import annotations

import platform
from typing import Any

import torch
from torch import nn

import fornet_hf
from fornet_hf import adapters
from fornet_hf.evaluation import Classifier, Results, evaluate
from fornet_hf.evaluation.report.wording import of_class
from fornet_hf.tensors import write_tensors
from training.augment import colours_of
from training.config import NONE, TrainConfig
from training.data import validation_rows
from training.images import preprocessing
from training.loop import Trainer
from training.model import ADAPTER, WEIGHTS, adapter_of, base_of, full_name
from training.rows import add_row
from training.run import Run


def leave(trainer: Trainer, run: Run) -> dict[str, Any]:
    """Write all of it: the moving average of the weights, if there is one; adapters merged.

    All processes take part in measuring.

    Returns: the row of results; empty in all processes but the first.

    Raises:
        ForNetError: a measure cannot be taken of these data.
        MissingDependencyError: safetensors is not installed.
    """
    config = trainer.config
    network: nn.Module = trainer.bare if trainer.average is None else trainer.average.module
    tuned, writes = config.tune != NONE, trainer.here.is_first
    if tuned and writes:
        adapters.save(network, adapter_of(config), config.folder / ADAPTER, base_of(config))
    whole = not tuned or adapters.mergeable(network)
    if tuned and whole:
        network = adapters.merge(network)
    if writes and whole:
        write_tensors(config.folder / WEIGHTS, network.state_dict())
    measured = measure(network.eval(), config) if config.measures else None
    if not writes:
        return {}
    row = {**origin(trainer), **_accuracies(run.figures[-1]), **({} if measured is None else _values(measured))}
    table = config.folder.parent / "results.csv"
    add_row(table, row)
    run.row = row
    trainer.report(f"weights: {config.folder / (WEIGHTS if whole else ADAPTER)}; results: {table}")
    return row


def measure(network: nn.Module, config: TrainConfig) -> Results:
    """Take the measures of a run's configuration; its folder `report` has them as `fornet evaluate` writes them."""
    name = config.folder.absolute().name
    classifier = Classifier(
        name=name, revision="", network=network, preprocessing=preprocessing(config, *colours_of(network))
    )
    rows = config.measure_on or config.images or validation_rows(config)
    return evaluate(
        classifier,
        rows,
        config.measures,
        output=config.folder / "report",
        imagenet_dir=config.imagenet_dir,
        cache_dir=config.cache_dir,
        workers=config.workers or 1,
    )


def origin(trainer: Trainer) -> dict[str, Any]:
    """Return all of a run's row that is known before anything is measured."""
    config = trainer.config
    return {
        "run": config.folder.absolute().name,
        "configuration": config.digest,
        "seed": config.seed,
        "model": full_name(config),
        "tune": config.tune,
        "trainable": sum(one.numel() for one in trainer.bare.parameters() if one.requires_grad),
        "epochs": config.epochs,
        "measures": " ".join(config.measures),
        "measured_on": config.measure_on or "",
        "fornet_hf": fornet_hf.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _accuracies(figures: dict[str, Any]) -> dict[str, float]:
    """Return the accuracies of the last epoch, 0 to 1, by what they were measured on."""
    sets = {"": figures, "average ": figures.get("average", {})}
    return {
        f"{kind}top1 {name}": one["top1"]
        for kind, measured in sets.items()
        for name, one in measured.items()
        if isinstance(one, dict) and "top1" in one
    }


def _values(measured: Results) -> dict[str, float | None]:
    """Return the values of the measures, but for those of single classes, by measure and part."""
    values = [result.value for result in measured]
    return {f"{v.measure} {v.part}".strip(): v.value for v in values if of_class(v.measure, v.part) is None}
