#!/usr/bin/env python
"""Draw what a run of segment.py found: image, boxes, and each version's mask and background, a row for each image.

    python build/preview.py RUN
    python build/preview.py RUN IMAGES lost.png --lost

RUN may be going on: its finished shards are shown. IMAGES is the folder that was segmented, if it is not where it was
then. Boxes, outlines and texts have the colours of the prompts that they answer. A heat map says how much each part
of the image is the object, from blue (not at all) to red; most segmenters make masks alone. --lost shows the images
without candidates instead.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from PIL import Image

from fornet_hf.errors import ForNetError, NotFoundError, explain
from fornet_hf.files import atomic_path
from fornet_hf.layout.samples import spread
from fornet_hf.preview import Group, Line, sheet
from producers.views.cells import Cell, drawn
from producers.views.row import BACKGROUND, HEAT, OBJECT, ImageRow, lost_row, row_of
from producers.views.shown import Sources, found, lost, versions
from producers.work.command import described, positive
from producers.work.run_folder import CandidateFolder

T = TypeVar("T")

KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("run", type=Path, metavar="RUN", help="folder of a run of segment.py")
    text = "folder of the images that were segmented; default: the one that the run names"
    result.add_argument("images", type=Path, metavar="IMAGES", nargs="?", help=text)
    text = "the sheet: .png or .jpg; default: RUN/preview.png, or RUN/lost.png"
    result.add_argument("out", type=_sheet_path, metavar="OUT", nargs="?", help=text)
    result.add_argument(
        "--count", type=positive, default=8, metavar="N", help="images, from all shards (%(default)s)"
    )
    result.add_argument("--key", action="append", metavar="KEY", help="an image to show; may be given several times")
    text = "show images without candidates, with the reasons why there are none"
    result.add_argument("--lost", action="store_true", help=text)
    return result


def _sheet_path(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in KINDS:
        raise argparse.ArgumentTypeError(f"{path.name} is not {', '.join(KINDS)}")
    return path


def preview(arguments: argparse.Namespace) -> Image.Image:
    """Return the sheet that the command line asks for.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    folder = CandidateFolder(arguments.run)
    columns = folder.columns()
    sources = Sources(arguments.images or folder.source(), columns)
    if arguments.lost:
        reasons = lost(folder)
        chosen = _chosen(reasons, [one.key for _, one in reasons], arguments, "lost images")
        rows = [lost_row(split, one, sources) for split, one in chosen]
        return page(rows, f"{len(rows)} of {len(reasons)} images without candidates")
    images = found(folder)
    chosen_images = _chosen(images, [one.key for one in images], arguments, "candidates")
    rows = [row_of(image, sources) for image in versions(chosen_images)]
    if all(row.trouble for row in rows):
        raise NotFoundError(explain("none of the images can be read", found=rows[0].trouble))
    return page(rows, f"{len(rows)} of {len(images)} images with candidates")


def _chosen(items: Sequence[T], keys: Sequence[str], arguments: argparse.Namespace, what: str) -> list[T]:
    """Return the items that are asked for by their keys, or some of all."""
    asked = arguments.key or ()
    missing = {*asked} - {*keys}
    if missing or not items:
        found = f"none of {sorted(missing)}" if missing else f"none in the finished shards of {arguments.run}"
        raise NotFoundError(explain(f"there are no {what} to show", found=found))
    if asked:
        return [item for item, key in zip(items, keys, strict=True) if key in asked]
    return spread(items, arguments.count)


def page(rows: Sequence[ImageRow], caption: str) -> Image.Image:
    """Return a sheet of rows; columns that none of them fills are left out."""
    columns = [name for name in ("image", "boxes", "reason") if any(name in row.cells for row in rows)]
    heated = any(HEAT in version for row in rows for version in row.versions)
    parts = [HEAT, OBJECT, BACKGROUND] if heated else [OBJECT, BACKGROUND]
    count = max(len(row.versions) for row in rows)
    cells = [
        [
            *(row.cells.get(name, Cell()) for name in columns),
            *(version.get(part, Cell()) for version in row.versions for part in parts),
            *[Cell()] * (len(parts) * (count - len(row.versions))),
        ]
        for row in rows
    ]
    images = drawn(cells)
    if troubled := sum(bool(row.trouble) for row in rows):
        caption += f"; {troubled} of them cannot be read"
    return sheet(
        [Group("", columns), *(Group(f"version {number}", parts) for number in range(count))],
        [Line(row.label, line) for row, line in zip(rows, images, strict=True)],
        caption=caption,
        cell=images[0][0].size,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    out = arguments.out or arguments.run / ("lost.png" if arguments.lost else "preview.png")
    try:
        made = preview(arguments)
        with atomic_path(out) as temporary:
            made.save(temporary, KINDS[out.suffix.lower()])
    except (ForNetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
