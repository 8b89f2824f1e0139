"""Patches of samples, whose masks and backgrounds are known and need not be found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fornet_hf.errors import ForNetError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Mask
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.raster import decode_rgb
from fornet_hf.format.shards import write_shard
from producers.layers.written import BACKGROUNDS, MASKS, OBJECT, kind_of
from producers.tasks.create import usable_batches
from producers.work.plan import Labelled, Task
from producers.work.report import Lost, Report
from producers.work.run_folder import RunFolder
from producers.work.settings import version_of

_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class LayersSettings:
    """Settings of a release of samples; a plain value that travels to worker processes.

    Attributes:
        folder: with `masks` and `backgrounds`, as `SampleFolder` lays them out.
        made_with: how the samples of each class were made, as JSON.
        encoding: of the patches.
    """

    folder: Path
    made_with: Mapping[str, Any] = field(default_factory=dict)
    encoding: Encoding = field(default_factory=Encoding)

    def producer(self) -> dict[str, object]:
        """Return what the manifest says about how the patches were made."""
        versions = {name: version_of(name) for name in ("fornet-hf", "pillow", "torch")}
        return {"tool": "sample_layers", "samples": self.made_with, "versions": versions}


def layers_shard(task: Task, settings: LayersSettings, folder: RunFolder) -> Report:
    """Write a task's patch shard, then its report; both appear complete or not at all.

    Images without an object, or without a background around it, have no patch; they are in the report.
    """
    with folder.reported(task) as report:
        write_shard(folder.shard(task), _patches(task, settings, report, folder), settings.encoding)
    return report


def _patches(task: Task, settings: LayersSettings, report: Report, folder: RunFolder) -> Iterator[Patch]:
    for batch in usable_batches(task, report, _BATCH, tick=folder.tick):
        yield from report.counted(_patch(image, settings) for image in batch)


def _patch(image: Labelled, settings: LayersSettings) -> Patch | Lost:
    """Return the patch whose background is the generator's own, everywhere: nothing of it is infilled."""
    try:
        files = (settings.folder / kind / f"{image.key}.png" for kind in (MASKS, BACKGROUNDS))
        levels, background = (np.asarray(decode_rgb(file.read_bytes())) for file in files)
        found: Mask = levels[..., 0] >= 128
        if (kind := kind_of(found)) != OBJECT:
            return Lost(image.key, "no_detect", kind, "there is nothing to take apart")
        return make_patch(
            image.data,
            found,
            background,
            key=image.key,
            label=image.label,
            encoding=settings.encoding,
            replaced=np.ones_like(found),
        )
    except (ForNetError, OSError) as error:
        return Lost(image.key, "error", type(error).__name__, str(error))
