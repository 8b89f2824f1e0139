"""Objects and backgrounds to choose from: a row of each class of a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fornet_hf
from fornet_hf.errors import NotFoundError, explain
from fornet_hf.format.rows import open_image
from fornet_hf.preview import name_of

MOST = 12  # classes; more would not fit on the page
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shelf:
    """Rows by the names of their classes.

    Attributes:
        objects: rows that have an object.
        backgrounds: rows that have a background.
        classes: names of all classes in label order.
    """

    objects: Mapping[str, Row]
    backgrounds: Mapping[str, Row]
    classes: tuple[str, ...]

    def images(self) -> tuple[list[tuple[Any, str]], list[tuple[Any, str]]]:
        """Return images with their names: the objects on nothing (RGBA), and the backgrounds (RGB)."""
        objects = [(fornet_hf.cutout(row), name) for name, row in self.objects.items()]
        backgrounds = [(open_image(row["background"]).convert("RGB"), name) for name, row in self.backgrounds.items()]
        return objects, backgrounds


def open_shelf(folder: Path) -> Shelf:
    """Take rows of the training split of what `make demo` wrote, one of each class.

    Args:
        folder: with `made/patches` and `pictures`, the images that the patches are of.

    Raises:
        NotFoundError: there is no such folder, or no object or no background in it.
        ForNetError: patches or images are damaged.
    """
    patches, images = folder / "made" / "patches", folder / "pictures"
    if not patches.is_dir():
        then = "Make it: fornet demo --out FOLDER, then set FORNET_DEMO=FOLDER."
        raise NotFoundError(explain("no objects to show", found=f"no folder {patches}", then=then))
    rows = fornet_hf.load_dataset(patches=patches, imagenet_dir=images, split="train").with_format(None)
    objects = _one_of_each(rows, "foreground")
    backgrounds = _one_of_each(rows, "background")
    if not objects or not backgrounds:
        found = f"{len(objects)} objects, {len(backgrounds)} backgrounds"
        raise NotFoundError(explain(f"{patches}: nothing to recombine", found=found, allowed="one or more of both"))
    classes = tuple(short(name) for name in rows.features["label"].names)
    return Shelf(objects, backgrounds, classes)


def short(name: str) -> str:
    """Return the first name of a class of several."""
    return name.partition(",")[0]


def _one_of_each(rows: Any, part: str) -> dict[str, Row]:
    """Return the first row of each class that has this part; the classes come in the order of the rows."""
    found: dict[str, Row] = {}
    for row in rows:
        if row[part] is not None and len(found) < MOST:
            found.setdefault(name_of(rows, row), row)
    return found
