"""Keys: the names of images in a release. docs/patch_format.md, section 4, is the specification.

A key is ImageNet's name for an image, the same whichever way the image came: `n01440764_10026`,
`ILSVRC2012_val_00000293`. Where file names alone are no keys, as they are repeated or missing, both sides make them
from the source: whoever makes patches, and whoever applies them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from fornet_hf.errors import PatchFormatError, explain

ENDINGS = (".JPEG", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Endings of image files, likeliest first; upper and lower case are the same."""

_IMAGENET_STEM = re.compile(r"(?P<wnid>n\d{8})_\d+")
_HUB_STEM = re.compile(r"(?P<key>.+?)_(?P<wnid>n\d{8})")
_NOT_IN_KEYS = re.compile(r'[/\\:*?"<>|\x00-\x1f\ud800-\udfff]|^\.')
MAX_KEY_BYTES = 200
"""Of a key in UTF-8: file systems take 255, and an ending follows."""

_UNSAFE = re.compile(r"[/\\\x00-\x1f\ud800-\udfff]")
_BETWEEN = "--"
SHARD = re.compile(r"(?P<stem>.+)-(?P<index>\d{5})-of-(?P<count>\d{5})\.parquet", re.DOTALL)
"""Names of Parquet shards, as the Hub numbers them: `train-00002-of-00294.parquet`."""


def image_key(path: str) -> tuple[str, str | None]:
    """Return the key and the WNID which an image's file name tells.

    The Hub appends the WNID to ImageNet's own name (`n01440764_10026_n01440764.JPEG`); it is taken off,
    so both forms have the same key. The WNID is None where the name has none (`cat_1.png`).
    What no key may have is replaced, see `valid_key`.
    """
    name = path.rpartition("/")[2]
    file = PurePath(name)
    stem = file.stem if is_image(file) else name
    if match := _HUB_STEM.fullmatch(stem):
        return valid_key(match["key"]), match["wnid"]
    match = _IMAGENET_STEM.fullmatch(stem)
    return valid_key(stem), match["wnid"] if match else None


def valid_key(name: str) -> str:
    """Return the name as a key: unchanged if it is one already.

    A character that file systems do not allow everywhere, and a dot in front, become `%` and their number; of a
    name longer than 200 bytes the end becomes a digest. Two names may become the same key, though rarely.
    """
    key = _NOT_IN_KEYS.sub(lambda match: f"%{ord(match[0]):02X}", name)
    if len(key.encode()) <= MAX_KEY_BYTES:
        return key
    start = key.encode()[: MAX_KEY_BYTES - 17].decode(errors="ignore")
    return f"{start}~{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def is_image(file: PurePath) -> bool:
    """Return whether the name is that of an image; names with a leading dot are what systems leave behind."""
    return not file.name.startswith(".") and file.suffix.lower() in {ending.lower() for ending in ENDINGS}


def keys_in_class(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return the key and the file name of each image of a class folder.

    A key is the name without its ending, unless files differ in nothing else: `1.jpg` and `1.png` have these as keys.
    """
    taken = Counter(names) + Counter(name.rpartition(".")[0] for name in names)
    for name in names:
        alone = taken[name.rpartition(".")[0]] == 1
        yield (image_key(name)[0] if alone else valid_key(name)), name


def key_with_class(folder_class: str, key: str) -> str:
    """Return the key of an image in a set where classes have files of the same name: `cat--1`."""
    return valid_key(folder_class + _BETWEEN + key)


def without_class(folder_class: str, key: str) -> str:
    """Return the key that an image has in its class alone."""
    return key.removeprefix(folder_class + _BETWEEN)


def has_class(key: str) -> bool:
    """Return whether `key_with_class` may have made it."""
    return _BETWEEN in key


def key_of_row(shard: str, row: int) -> str:
    """Return the key of an image without a usable name: `train-00002-000017`, of shard 2 the row 17, from 0.

    Args:
        shard: path or name of the Parquet shard, `.../train-00002-of-00003.parquet`.
        row: in it, from 0.
    """
    return f"{_start(shard)}-{row:06}"


def are_of_rows(keys: Iterable[str], shard: str) -> bool:
    """Return whether all keys are those that `key_of_row` makes for this shard."""
    form = re.compile(rf"{re.escape(_start(shard))}-\d{{6,}}")
    return all(map(form.fullmatch, keys))


def _start(shard: str) -> str:
    name = re.split(r"[/\\]", shard)[-1]
    match = SHARD.fullmatch(name)
    return valid_key(f"{match['stem']}-{match['index']}" if match else name.removesuffix(".parquet"))


def shard_name(stem: str, index: int, count: int) -> str:
    """Return the name of a Parquet shard; `stem` is the split, with folders in front or without."""
    return f"{stem}-{index:05}-of-{count:05}.parquet"


def plain_name(name: str, what: str) -> str:
    """Return the name itself, if it can only be that of an entry in a folder.

    Raises:
        PatchFormatError: if it has separators or control characters, is empty, `.` or `..`, or is longer than
            200 bytes (file systems take 255, and an ending follows).
    """
    unsafe = PurePath(name).name != name or name in {"", ".."} or _UNSAFE.search(name)
    if unsafe or len(name.encode()) > MAX_KEY_BYTES:
        raise PatchFormatError(explain(f"{what} is no plain name", found=repr(name[:200]), allowed="one path part"))
    return name
