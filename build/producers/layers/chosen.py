"""The generator of a training that samples are made with."""

from __future__ import annotations

from pathlib import Path

from fornet_hf.errors import NotFoundError, explain
from producers.training.run import TrainingRun

GENERATORS = "generators"


def generator_file(folder: Path, kimg: int) -> Path:
    """Return the file of the generator that a training keeps after so many thousands of images."""
    return folder / GENERATORS / f"{kimg:06}.safetensors"


def chosen(folder: Path, until_kimg: int | None = None) -> Path:
    """Return the file of the generator with the lowest FID; the last one if none has an FID.

    Args:
        folder: of the training.
        until_kimg: thousands of images that it has seen at most; None: any.

    Raises:
        NotFoundError: there is none.
    """
    kept = [line for line in TrainingRun(folder).figures() if line.get("kept")]
    kept = [line for line in kept if until_kimg is None or line["kimg"] <= until_kimg]
    there = [line for line in kept if generator_file(folder, line["kimg"]).is_file()]
    if not there:
        limit = "" if until_kimg is None else f" of {until_kimg} kimg at most"
        then = "build/train_layers.py keeps one after each --every kimg."
        raise NotFoundError(explain("there is no generator", found=f"none{limit} in {folder}", then=then))
    scored = [line for line in there if "fid" in line]
    best = min(scored, key=lambda line: line["fid"]) if scored else max(there, key=lambda line: line["kimg"])
    return generator_file(folder, best["kimg"])
