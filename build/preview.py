#!/usr/bin/env python
"""Draw what a run of segment.py found: image, heat map, mask and infilled background, a row for each image.

    python build/preview.py RUN IMAGES sheet.png

RUN may be going on: its finished shards are shown. IMAGES is the folder that was segmented. The heat map says how
much each part of the image is the object, from blue (not at all) to red; most segmenters make masks alone.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, explain
from fornet_hf.files import atomic_path
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.keys import SHARD
from fornet_hf.format.masks import Mask, decode_mask, open_mask
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.raster import canonical_raster, decode_rgb
from fornet_hf.preview import CELL, Group, Line, sheet
from producers.devices.opencv import load_cv2
from producers.pairs.images import Reader, images_of_split
from producers.scene import Raster, SoftMap
from producers.tasks.candidate_shards import CandidatePatch, CandidateShard
from producers.work.command import described, positive
from producers.work.run_folder import CandidateFolder

HEADINGS = ("image", "heat map", "mask", "background, infilled")
KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_OUTLINE = (255, 40, 90)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("run", type=Path, metavar="RUN", help="folder of a run of segment.py")
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the images that were segmented")
    result.add_argument("out", type=_sheet_path, metavar="OUT", help="the sheet: .png or .jpg")
    result.add_argument(
        "--count", type=positive, default=8, metavar="N", help="images, from all shards (%(default)s)"
    )
    result.add_argument("--key", action="append", metavar="KEY", help="an image to show; may be given several times")
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
    keys = [(path, key) for path in sorted(folder.candidates.glob("*.parquet")) for key in _keys(path)]
    if arguments.key:
        keys = [one for one in keys if one[1] in arguments.key]
    missing = {*(arguments.key or ())} - {key for _, key in keys}
    if missing or not keys:
        found = f"none of {sorted(missing)}" if missing else f"no finished shard in {folder.candidates}"
        raise NotFoundError(explain("there are no candidates to show", found=found))
    count = len(keys) if arguments.key else min(arguments.count, len(keys))
    shown = [keys[at * len(keys) // count] for at in range(count)]
    lines = []
    for split in dict.fromkeys(_split(path) for path, _ in shown):
        images = images_of_split(arguments.images, split, columns)
        places, reader = dict(zip(images.keys(), images.places, strict=True)), Reader()
        wanted = [one for one in shown if _split(one[0]) == split]
        for candidate, encoding in _candidates(wanted):
            key = candidate.patch.key
            if key not in places:
                then = "Give the images that were segmented."
                raise NotFoundError(explain("the image of a candidate is missing", found=key, then=then))
            lines.append((candidate, drawn(reader.read(places[key]), candidate, encoding)))
    heated = any(candidate.soft is not None for candidate, _ in lines)
    columns_shown = [name for name in HEADINGS if heated or name != "heat map"]
    return sheet(
        [Group("", columns_shown)],
        [Line(_label(candidate), [images[name] for name in columns_shown]) for candidate, images in lines],
        caption=f"{len(lines)} of {len(keys)} images with candidates",
    )


def _keys(path: Path) -> list[str]:
    """Return the keys of a shard's images, each once, in their order."""
    return list(dict.fromkeys(pq.read_table(path, columns=["key"]).column("key").to_pylist()))


def _split(path: Path) -> str:
    match = SHARD.fullmatch(path.name)
    return match["stem"] if match else path.stem


def _candidates(shown: Sequence[tuple[Path, str]]) -> Iterator[tuple[CandidatePatch, Encoding]]:
    """Yield the most confident version of each image."""
    for path in dict.fromkeys(path for path, _ in shown):
        shard, left = CandidateShard(path), {key for at, key in shown if at == path}
        for versions in shard.by_image():
            if versions[0].patch.key in left:
                left.remove(versions[0].patch.key)
                yield versions[0], shard.encoding
            if not left:
                break


def drawn(source: bytes, candidate: CandidatePatch, encoding: Encoding) -> dict[str, Image.Image]:
    """Return the images of a row by the headings of their columns.

    Raises:
        ForNetError: the candidate is not of this image.
    """
    row = apply_patch(source, candidate.patch, encoding)
    if row.mask is None or row.box is None or row.background is None:
        raise ConfigurationError(explain(f"{row.key}: a candidate has both parts", found="one of them"))
    x0, y0, x1, y1 = row.box
    raster = _small(np.asarray(canonical_raster(source, encoding.max_side)))
    mask = np.zeros((candidate.patch.height, candidate.patch.width), np.bool_)
    mask[y0:y1, x0:x1] = decode_mask(row.mask, (x1 - x0, y1 - y0))
    blank = Image.new("RGB", CELL, (255, 255, 255))
    images = (
        Image.fromarray(raster),
        blank if candidate.soft is None else Image.fromarray(heat(raster, np.asarray(open_mask(candidate.soft)))),
        Image.fromarray(outlined(raster, mask)),
        decode_rgb(row.background),
    )
    return dict(zip(HEADINGS, images, strict=True))


def _small(raster: Raster) -> Raster:
    """Return a raster at twice the size of its cell, or as it is, so that lines on it are as wide on all sheets."""
    cv2 = load_cv2()
    height, width = raster.shape[:2]
    scale = min(1.0, 2 * CELL[0] / width, 2 * CELL[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small: Raster = cv2.resize(raster, size, interpolation=cv2.INTER_AREA)
    return small


def heat(raster: Raster, soft: SoftMap) -> Raster:
    """Return the raster in grey under the colours of a soft map, which is stretched over it."""
    cv2 = load_cv2()
    height, width = raster.shape[:2]
    wide = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap(wide, cv2.COLORMAP_TURBO)[..., ::-1]
    grey = raster.mean(-1, keepdims=True)
    result: Raster = (0.45 * grey + 0.55 * colours).round().astype(np.uint8)
    return result


def outlined(raster: Raster, mask: Mask) -> Raster:
    """Return the raster with the edge of a mask, which is stretched over it, the rest of the image darker."""
    cv2 = load_cv2()
    height, width = raster.shape[:2]
    inside = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    result: Raster = np.where(inside[..., None] > 0, raster, raster // 2)
    contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(result, contours, -1, _OUTLINE, thickness=2)
    return result


def _label(candidate: CandidatePatch) -> str:
    share = f"{candidate.patch.foreground_ratio:.0%} of the image"
    return f"{candidate.patch.key}\n{candidate.prompt}\n{candidate.score:.2f}, {share}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    try:
        page = preview(arguments)
        with atomic_path(arguments.out) as temporary:
            page.save(temporary, KINDS[arguments.out.suffix.lower()])
    except (ForNetError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
