"""One task of an import, start to finish: the patch shard of one source shard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fornet_hf.classes import class_folders
from fornet_hf.errors import ForNetError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.shards import write_shard
from fornet_hf.sources import without_class
from producers.tasks.create import Tick, usable_batches
from producers.tasks.old_parts import OldRelease, open_release
from producers.work.plan import Labelled, Task
from producers.work.report import Lost, Report
from producers.work.run_folder import RunFolder
from producers.work.settings import version_of

BATCH = 16


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """Settings of an import; a plain value that travels to worker processes.

    Attributes:
        release: folder of the old release.
        whole: take all of the old backgrounds, which then come out as they are, artefacts of their compression
            included; else only what is infilled, which makes patches many times smaller.
        encoding: of the patches.
    """

    release: Path
    whole: bool = False
    encoding: Encoding

    def producer(self) -> dict[str, object]:
        """Return what the manifest says about how the patches were made."""
        versions = {name: version_of(name) for name in ("fornet-hf", "pillow", "opencv-python-headless")}
        return {
            "tool": "import_release",
            "release": self.release.resolve().name,
            "backgrounds": "whole" if self.whole else "infilled part",
            "versions": versions,
        }


def import_shard(task: Task, settings: ImportSettings, folder: RunFolder) -> Report:
    """Write a task's patch shard, then its report; both appear complete or not at all.

    Raises:
        ForNetError: release or source shard cannot be read. A single image raises nothing: it is in the report.
    """
    with folder.reported(task) as report, contextlib.ExitStack() as stack:
        release = open_release(settings.release, task.split, stack)
        write_shard(folder.shard(task), _patches(task, release, settings, report, folder.tick), settings.encoding)
    return report


def _patches(
    task: Task, release: OldRelease, settings: ImportSettings, report: Report, tick: Tick
) -> Iterator[Patch]:
    names = class_folders(task.classes)
    for batch in usable_batches(task, report, BATCH, tick=tick):
        yield from report.counted(_imported(image, names[image.label], release, settings, report) for image in batch)


def _imported(
    image: Labelled, wnid: str, release: OldRelease, settings: ImportSettings, report: Report
) -> Patch | Lost:
    try:
        with report.clock("place"):
            names = dict.fromkeys((image.key, without_class(wnid, image.key)))  # an old release has no other
            each = (release.parts(wnid, name, image.data, settings.encoding) for name in names)
            parts = next((parts for parts in each if parts is not None), None)
        if parts is None:
            return Lost(image.key, "no_detect", "not in the release", "the release lacks the image or a part of it")
        with report.clock("patch"):
            return make_patch(
                image.data,
                parts.mask,
                parts.background,
                key=image.key,
                label=image.label,
                encoding=settings.encoding,
                replaced=np.ones_like(parts.mask) if settings.whole else None,
            )
    except ForNetError as error:
        return Lost(image.key, "error", type(error).__name__, str(error))
