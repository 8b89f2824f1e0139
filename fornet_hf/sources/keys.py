"""Keys for the images of sets whose file names alone are none: repeated, or missing.

Both sides make them from the source alone: whoever makes patches, and whoever applies them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from fornet_hf.sources.image import image_key, valid_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BETWEEN = "--"
_SHARD = re.compile(r"(?P<start>[^/]+-\d{5})-of-\d{5}\.parquet")


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
    """Whether `key_with_class` may have made it."""
    return _BETWEEN in key


def key_of_row(shard: str, row: int) -> str:
    """Return the key of an image without a usable name: `train-00002-000017`, of shard 2 the row 17, from 0.

    Args:
        shard: path or name of the Parquet shard, `.../train-00002-of-00003.parquet`.
        row: in it, from 0.
    """
    return f"{_start(shard)}-{row:06}"


def are_of_rows(keys: Iterable[str], shard: str) -> bool:
    """Whether all keys are those that `key_of_row` makes for this shard."""
    form = re.compile(rf"{re.escape(_start(shard))}-\d{{6,}}")
    return all(map(form.fullmatch, keys))


def _start(shard: str) -> str:
    name = re.split(r"[/\\]", shard)[-1]
    match = _SHARD.fullmatch(name)
    return valid_key(match["start"] if match else name.removesuffix(".parquet"))
