"""A source image, its key, and the names it may have.

An image keeps the bytes of its file; nothing is decoded here. Its key is ImageNet's name for it, the
same whichever way the image came: `n01440764_10026`, `ILSVRC2012_val_00000293`. `keys.py` makes the keys of
other sets.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePath

from fornet_hf.errors import PatchFormatError, explain

ENDINGS = (".JPEG", ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Endings of image files, likeliest first; upper and lower case are the same."""

# The Hub says "validation" where ImageNet's folders say "val".
_SPLIT_NAMES = {"val": ("val", "validation"), "validation": ("val", "validation")}

_IMAGENET_STEM = re.compile(r"(?P<wnid>n\d{8})_\d+")
_HUB_STEM = re.compile(r"(?P<key>.+?)_(?P<wnid>n\d{8})")
_NOT_IN_KEYS = re.compile(r'[/\\:*?"<>|\x00-\x1f\ud800-\udfff]|^\.')
MAX_KEY_BYTES = 200
"""Of a key in UTF-8: file systems take 255, and an ending follows."""

_UNSAFE = re.compile(r"[/\\\x00-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class SourceImage:
    """One source image.

    Attributes:
        key: its name in ImageNet, without class suffix and file ending.
        label: index of its class, or None where the source does not tell (test split, other sets' folders).
        data: the bytes of its file, untouched.
        origin: the path, or `file:row`, to name in an error about it.
    """

    key: str
    label: int | None
    data: bytes
    origin: str


def image_key(path: str) -> tuple[str, str | None]:
    """The key and the WNID which an image's file name tells.

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
    """Whether the name is that of an image; names with a leading dot are what systems leave behind."""
    return not file.name.startswith(".") and file.suffix.lower() in {ending.lower() for ending in ENDINGS}


def split_names(split: str) -> tuple[str, ...]:
    """The names which a folder or shard of this split may have.

    Raises:
        PatchFormatError: if the split is not a plain name.
    """
    return _SPLIT_NAMES.get(split) or (plain_name(split, "split"),)


def plain_name(name: str, what: str) -> str:
    """The name itself, if it can only be that of an entry in a folder.

    Raises:
        PatchFormatError: if it has separators or control characters, is empty, `.` or `..`, or is longer than
            200 bytes (file systems take 255, and an ending follows).
    """
    unsafe = PurePath(name).name != name or name in {"", ".."} or _UNSAFE.search(name)
    if unsafe or len(name.encode()) > MAX_KEY_BYTES:
        raise PatchFormatError(explain(f"{what} is no plain name", found=repr(name[:200]), allowed="one path part"))
    return name
