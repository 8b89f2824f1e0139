"""A source image, whose file is not decoded here, and the names of the splits that it may be in."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.format.keys import plain_name

# The Hub says "validation" where ImageNet's folders say "val".
_SPLIT_NAMES = {"val": ("val", "validation"), "validation": ("val", "validation")}


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


def split_names(split: str) -> tuple[str, ...]:
    """Return the names which a folder or shard of this split may have.

    Raises:
        PatchFormatError: if the split is not a plain name.
    """
    return _SPLIT_NAMES.get(split) or (plain_name(split, "split"),)
