"""Make a new folder of golden patches: `python -m tests.golden.make v2`. An existing one is never touched."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import Manifest, ShardEntry, write_manifest
from fornet_hf.format.masks import Mask, dilate
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.raster import canonical_raster
from fornet_hf.format.rows import Row
from fornet_hf.format.shards import write_shard
from fornet_hf.release.units import PatchUnit
from fornet_hf.sources import FolderSource

FOLDER = Path(__file__).parent / "patches"
CLASSES = ("animal", "other")
ENCODING = Encoding(max_side=160, dilation=6)
SHARD = "train-00000-of-00001.parquet"


def sources() -> dict[str, tuple[int, bytes]]:
    """Label and file of each image: photos of scikit-image (CC0, public domain), and what is rare in ImageNet."""
    from skimage import data

    cat, astronaut, coffee = (Image.fromarray(getattr(data, name)()) for name in ("chelsea", "astronaut", "coffee"))
    deep = np.asarray(coffee.resize((48, 32)).convert("L"), np.uint16) * 257
    turned = Image.Exif()
    turned[0x0112] = 6
    return {
        "cat": (0, _file(cat.resize((160, 107)))),
        "cat_shrunk": (0, _file(cat.resize((240, 160)), quality=75)),
        "astronaut_rotated": (1, _file(astronaut.resize((120, 120)), exif=turned)),
        "coffee_cmyk": (1, _file(coffee.resize((96, 64)).convert("CMYK"))),
        "coffee_gray": (1, _file(coffee.resize((90, 61)).convert("L"))),
        "cat_png": (0, _file(cat.resize((49, 33)).convert("P"), "PNG")),
        "coffee_16_bit": (1, _file(Image.fromarray(deep), "PNG")),
        "line": (1, _file(coffee.resize((400, 1)), "PNG")),
        "pixel": (1, _file(Image.new("RGB", (1, 1), (200, 30, 90)), "PNG")),
    }


def _file(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **{"quality": 90, **options})
    return buffer.getvalue()


def patch(key: str, label: int, source: bytes) -> Patch:
    """Of an ellipse in the middle, filled with the mean color."""
    pixels = np.asarray(canonical_raster(source, ENCODING.max_side))
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width] + 0.5
    mask: Mask = ((x - width / 2) / (width / 3)) ** 2 + ((y - height / 2) / (height / 4 + 1)) ** 2 <= 1
    outside = pixels[~dilate(mask, ENCODING.dilation)]
    fill = np.empty_like(pixels)
    fill[:] = outside.mean(0) if len(outside) else (9, 99, 199)
    return make_patch(source, mask, fill, key=key, label=label, encoding=ENCODING)


def rows(folder: Path, manifest: Manifest) -> list[Row]:
    """The prepared rows of a golden folder."""
    (entry,) = manifest.splits["train"]
    unit = PatchUnit(
        split="train",
        entry=entry,
        encoding=manifest.encoding,
        patches=str(folder / entry.path),
        images=FolderSource(folder / "pictures"),
        class_folders=manifest.classes or (),
    )
    return list(unit.rows())


def described(row: Row) -> dict[str, object]:
    """Everything of a row, with digests in place of bytes."""
    parts = {"background": row.background, "foreground": row.foreground, "mask": row.mask}
    digests = {name: data and hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    ratio = round(row.foreground_ratio, 7)
    return {
        "key": row.key,
        "label": row.label,
        "box": row.box and list(row.box),
        "foreground_ratio": ratio,
        **digests,
    }


def make(version: str) -> Path:
    """Write `patches/<version>`; its folder."""
    folder = FOLDER / version
    folder.mkdir(parents=True)  # fails if it exists
    for key, (label, data) in sources().items():
        path = folder / "pictures/train" / CLASSES[label] / f"{key}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    count = write_shard(folder / SHARD, (patch(key, *rest) for key, rest in sources().items()), ENCODING)
    entries = {"train": (ShardEntry.of(folder, SHARD, count),)}
    manifest = Manifest(encoding=ENCODING, splits=entries, source="golden", classes=CLASSES)
    write_manifest(folder, manifest)
    expected = [described(row) for row in rows(folder, manifest)]
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return folder


if __name__ == "__main__":
    print(make(*sys.argv[1:]))
