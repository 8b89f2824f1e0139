"""Numbers for the card of a model on the Hub: the `model-index` of its header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from huggingface_hub import EvalResult, ModelCardData

from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import write_text

FOLDER = "model_index"
"""Name of the folder with a header for each model."""


class Origin(Protocol):
    """Model and data behind a number, as results have them."""

    @property
    def model(self) -> str:
        """Name of the classifier."""

    @property
    def weights(self) -> str:
        """Digest of its weights."""

    @property
    def data(self) -> str:
        """Name of the data."""

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def release(self) -> str:
        """Fingerprint of the data."""

    @property
    def seed(self) -> int:
        """Seed of draws and resamples."""

    @property
    def draws(self) -> int:
        """Backgrounds that each foreground was shown on."""

    @property
    def cells(self) -> str:
        """ "seen" or "canvas"."""

    @property
    def precision(self) -> str:
        """Precision of the classifier's computing."""


def write_headers(folder: Path, results: Iterable[tuple[Origin, Value]]) -> list[Path]:
    """Write a header for the card of each model; return the files, `model_index/MODEL.md` in the folder."""
    models: dict[str, list[tuple[Origin, Value]]] = {}
    for origin, value in results:
        models.setdefault(origin.model, []).append((origin, value))
    paths = []
    for model, numbers in models.items():
        path = folder / FOLDER / f"{re.sub(r'[^A-Za-z0-9.@-]+', '_', model)}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, header(model, numbers))
        paths.append(path)
    return paths


def header(model: str, results: Iterable[tuple[Origin, Value]]) -> str:
    """Return the header of a model's card, between two lines of ---; numbers that are not defined are left out."""
    metrics = [_metric(origin, value) for origin, value in results if value.value is not None]
    data = ModelCardData(model_name=model, eval_results=metrics) if metrics else ModelCardData()
    return f"---\n{data.to_yaml()}\n---\n"


def _metric(origin: Origin, value: Value) -> EvalResult:
    known = {"interval_95": [value.low, value.high], "standard_error": value.error, "note": value.note}
    return EvalResult(
        task_type="image-classification",
        dataset_type=origin.data,
        dataset_name=origin.data,
        dataset_split=origin.split,
        dataset_args={"fingerprint": origin.release},
        metric_type=value.measure,
        metric_name=value.measure.replace("_", " ") + (f", {value.part}" if value.part else ""),
        metric_value=value.value,
        metric_args={
            "n": value.n,
            **{name: found for name, found in known.items() if found not in ("", None, [None, None])},
            **({"left_out": dict(value.left_out)} if value.left_out else {}),
            "seed": origin.seed,
            "draws": origin.draws,
            "cells": origin.cells,
            "precision": origin.precision,
            "weights_sha256": origin.weights,
        },
    )
