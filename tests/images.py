"""Images, masks and small releases, made from numbers, for tests of the patch format."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.manifest import Manifest, ShardEntry, write_manifest
from fornet_hf.format.patch import Patch, make_patch
from fornet_hf.format.raster import canonical_raster
from fornet_hf.format.shards import write_shard

ENCODING = Encoding(max_side=128, dilation=5)
CLASSES = ("ant", "bee")


def pixels(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Slopes with some noise, uint8 of height x width x 3: compresses like a photo."""
    y, x = np.mgrid[:height, :width]
    slopes = np.stack([x * 255 // width, y * 255 // height, (x + y + 40 * seed) % 256], axis=2)
    noise = np.random.default_rng(seed).integers(-9, 10, slopes.shape)
    return (slopes + noise).clip(0, 255).astype(np.uint8)


def made_image(width: int, height: int, seed: int = 0) -> Image.Image:
    """The same as RGB image."""
    return Image.fromarray(pixels(width, height, seed))


def file_of(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of an image's file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def disc(width: int, height: int) -> np.ndarray:
    """A mask: an ellipse in the middle; one pixel at least."""
    y, x = np.mgrid[:height, :width]
    mask = ((x - width / 2) / (width / 4)) ** 2 + ((y - height / 2) / (height / 4)) ** 2 <= 1
    mask[height // 2, width // 2] = True
    return mask


def infilled(source: bytes, encoding: Encoding = ENCODING) -> np.ndarray:
    """What stands for an infilling: the raster's mean color, everywhere."""
    raster = np.asarray(canonical_raster(source, encoding.max_side))
    return np.broadcast_to(raster.mean((0, 1)).astype(np.uint8), raster.shape)


def patch_of(
    source: bytes, mask: np.ndarray | None = None, *, key: str = "a", label: int = 0, encoding=ENCODING
) -> Patch:
    """The patch of a file; the mask is a disc if none is given."""
    raster = canonical_raster(source, encoding.max_side)
    mask = disc(*raster.size) if mask is None else mask
    return make_patch(source, mask, infilled(source, encoding), key=key, label=label, encoding=encoding)


def write_release(folder: Path, images: Path, *, splits=("train",), shards: int = 1, each: int = 3) -> Manifest:
    """A release in `folder` and its sources in `images`, laid out like ImageNet."""
    entries = {
        split: tuple(_shard(folder, images, split, n, shards, each) for n in range(shards)) for split in splits
    }
    manifest = Manifest(encoding=ENCODING, splits=entries, source="someone/animals", classes=CLASSES)
    write_manifest(folder, manifest)
    return manifest


def _shard(folder: Path, images: Path, split: str, number: int, shards: int, each: int) -> ShardEntry:
    patches = []
    for row in range(each):
        key, label = f"{split}_{number}_{row}", row % len(CLASSES)
        source = file_of(made_image(60 + 10 * row, 80, seed=10 * number + row), quality=95)
        path = images / ("val" if split == "validation" else split) / CLASSES[label] / f"{key}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source)
        patches.append(patch_of(source, key=key, label=label))
    name = f"{split}-{number:05}-of-{shards:05}.parquet"
    write_shard(folder / name, patches, ENCODING)
    return ShardEntry.of(folder, name, each)


def files(root: Path, *names: str) -> Path:
    """`root` with files that hold their own names: enough where images are only counted and named."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root
