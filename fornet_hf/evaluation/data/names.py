"""Names of ImageNet-9's variants and files: `mixed_rand/val/00_dog/fg_n02085620_00573_bg_n01440764_00293.JPEG`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from typing import NamedTuple

from fornet_hf.evaluation.stimuli.conditions import ORIGINAL
from fornet_hf.format.keys import valid_key

PLAIN = (ORIGINAL, "only_bg_b", "only_bg_t", "no_fg", "only_fg")
MIXED = ("mixed_same", "mixed_rand", "mixed_next")
OFFICIAL = PLAIN + MIXED
INFILLED = ("only_bg_i", "mixed_same_i", "mixed_rand_i", "mixed_next_i")
VARIANTS = OFFICIAL + INFILLED
"""The variants: those of the paper, then those with an infilled background in place of a tiled one."""

MASKS = "fg_mask"
ENDING = ".JPEG"
NOTE = "variants.json"
"""What `fornet variants` writes beside the folders: settings, counts, and the classes that theirs were made of."""

_LONGEST = 110  # bytes; a mixed image has two stems, of the 255 bytes of a name
_FOREGROUND, _BACKGROUND = "fg_", "_bg_"
_VALIDATION = re.compile(r"ILSVRC2012_val_000(\d{5})")


class Sources(NamedTuple):
    """Stems of the images that an image of a variant is made from.

    Attributes:
        item: of the foreground; where there is none, of the image itself.
        background: of the image that the background comes from; empty: the item's own.
    """

    item: str
    background: str = ""


def stem_of(key: str, wnid: str | None) -> str:
    """Return the official stem of an image's files: `n01440764_10026`, also for ImageNet's validation.

    Rows may come from anybody: what a name must not have, such as the way to another folder, is replaced.

    Args:
        key: of the image.
        wnid: of its class; None if that is not ImageNet's.
    """
    match = _VALIDATION.fullmatch(key)
    stem = f"{wnid}_{match[1]}" if match and wnid else valid_key(key)
    if len(stem.encode()) <= _LONGEST:
        return stem
    start = stem.encode()[: _LONGEST - 17].decode(errors="ignore")
    return f"{start}~{hashlib.sha256(stem.encode()).hexdigest()[:16]}"


def mixed_stem(foreground: str, background: str) -> str:
    """Return the stem of a mixed image's file."""
    return f"{_FOREGROUND}{foreground}{_BACKGROUND}{background}"


def sources_in(stem: str, *, mixed: bool, known: Container[str]) -> Sources:
    """Return what a file's stem says.

    Args:
        stem: of a file.
        mixed: whether it is an image of a `mixed_*` variant.
        known: stems of original images; they decide where names hold `_bg_` themselves.
    """
    if not mixed:
        short = stem[len(_FOREGROUND) :] if stem.startswith((_FOREGROUND, _BACKGROUND[1:])) else stem
        return Sources(short if stem not in known and short in known else stem)
    pair = stem.removeprefix(_FOREGROUND)
    cuts = [match.start() for match in re.finditer(f"(?={_BACKGROUND})", pair)]
    splits = [Sources(pair[:cut], pair[cut + len(_BACKGROUND) :]) for cut in cuts]
    ranked = sorted(splits, key=lambda one: (one.item in known) + (one.background in known), reverse=True)
    return ranked[0] if ranked else Sources(stem)
