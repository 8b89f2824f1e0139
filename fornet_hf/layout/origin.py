"""What a saved dataset was made from, and what could not be made: kept beside its rows, and beside half-made ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.files import write_text
from fornet_hf.hub.location import Folder, Repository
from fornet_hf.layout.report import Problem
from fornet_hf.release.interface import Release, short_digest

_NOTE = "made_from.json"


@dataclass(frozen=True)
class Origin:
    """What rows were made from.

    Attributes:
        patches: tells the patches of the split from all others; the other split may be deleted meanwhile.
        images: where the sources were.
    """

    patches: str
    images: str

    def __str__(self) -> str:
        return f"patches {self.patches} and the images of {self.images}"


def origin_of(release: Release, split: str, images: Folder | Repository) -> Origin:
    """The origin of the rows that a split will have.

    Patches of the old format do not tell their images, so there the shards of these are part of it.
    """
    place = images.identity() if isinstance(images, Folder) or not release.names_images else str(images)
    if isinstance(images, Folder) and not release.names_images:
        folders = (images.root, images.root / "data")
        shards = sorted((path.name, path.stat().st_size) for one in folders for path in one.glob("*.parquet"))
        place += f" {short_digest(shards)}" if shards else ""
    return Origin(release.fingerprint(split), place)


def write_origin(folder: Path, origin: Origin, problems: Sequence[Problem] = ()) -> None:
    """Note the origin of what a folder holds, and the images that it lacks."""
    value = {**dataclasses.asdict(origin), "problems": [dataclasses.asdict(problem) for problem in problems]}
    write_text(folder / _NOTE, json.dumps(value, indent=1) + "\n")


def read_origin(folder: Path) -> tuple[Origin | None, list[Problem]]:
    """The origin of what a folder holds, None if that is not known; and the images that it lacks."""
    try:
        value = json.loads((folder / _NOTE).read_bytes())
        problems = [Problem(**problem) for problem in value.pop("problems")]
        if "pictures" in value:  # the name of `images` in the first notes
            value["images"] = value.pop("pictures")
        return Origin(**value), problems
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None, []
