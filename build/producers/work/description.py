"""The description of a run: all that decides what it makes. It is noted at the beginning, and stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn, Protocol

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.encoding import Encoding
from producers.work.plan import Task


class Settings(Protocol):
    """Everything that decides what a run makes of an image; each command has its own."""

    @property
    def encoding(self) -> Encoding:
        """Of the patches."""

    def producer(self) -> dict[str, object]:
        """Return what the manifest says about how the patches were made."""


def description(tasks: Sequence[Task], settings: Settings) -> dict[str, Any]:
    """Return a run's settings as JSON gives them back, and for each split its number of shards and its images."""
    splits: dict[str, list[str]] = {}
    for task in tasks:
        splits.setdefault(task.split, []).append(task.fingerprint())
    value = {
        "encoding": settings.encoding.to_json(),
        "producer": {**settings.producer(), **noted_columns(tasks)},
        "classes": tasks[0].classes,
        "splits": splits,
    }
    result: dict[str, Any] = json.loads(json.dumps(value))
    return result


def noted_columns(tasks: Sequence[Task]) -> dict[str, object]:
    """Return what a manifest says about the columns of Parquet shards, unless they have the usual names."""
    columns = asdict(tasks[0].columns)
    return {"columns": columns} if any(columns[name] not in (None, name) for name in columns) else {}


def check_same(path: Path, name: str, before: object, now: object) -> None:
    """Raise a ConfigurationError if a run that was begun is asked to go on with another value.

    Args:
        path: of the file in which the run noted its own.
        name: of the value.
        before: as it was noted.
        now: as it is asked for.
    """
    if before == now:
        return
    found, allowed = _difference(before, now)
    _refuse(path, name, found, allowed)


def check_same_images(path: Path, split: str, before: Sequence[str], now: Sequence[str]) -> None:
    """Raise a ConfigurationError if a run is asked to go on with other images of a split, or in other shards.

    Args:
        path: of the file in which the run noted its own.
        split: `train` or `validation`.
        before: fingerprints of the images of each shard, as they were noted.
        now: likewise, as they are.
    """
    if len(before) != len(now):
        _refuse(path, f"number of shards for {split}", len(now), len(before))
    if changed := [number for number, (old, new) in enumerate(zip(before, now, strict=True)) if old != new]:
        others = f"others in {len(changed)} of {len(now)} shards, first in number {changed[0]}"
        _refuse(path, f"set of images for {split}", others, "those that it was begun with")


def _refuse(path: Path, name: str, found: object, allowed: object) -> NoReturn:
    then = f"Choose another output folder, or delete {path.parent} to begin anew."
    raise ConfigurationError(
        explain(f"{path}: this folder holds a run with another {name}", found=found, allowed=allowed, then=then)
    )


def _difference(before: object, now: object) -> tuple[object, object]:
    """Return the parts in which two values differ: what was before as allowed, what is asked for now as found."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        return {name: now.get(name) for name in names}, {name: before.get(name) for name in names}
    return now, before
