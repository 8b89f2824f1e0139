"""Keys for the images of a whole split: their names, or what is made of classes and rows where names repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.sources import Columns, ImageRef, are_of_rows, key_with_class, keys_in_shard


def with_keys(images: Sequence[ImageRef]) -> Sequence[ImageRef]:
    """Return them with keys that differ: the files' names, or these after those of their classes.

    Raises:
        ConfigurationError: these do not differ, either.
    """
    if len({image.key for image in images}) == len(images):
        return images
    names = {(image.folder_class, image.key) for image in images}
    keyed = [replace(one, key=key_with_class(one.folder_class, one.key)) for one in images]
    seen: dict[str, Path] = {}
    for one in keyed:
        if seen.setdefault(one.key, one.path) != one.path or (one.folder_class, one.key) in names:
            what = "an image's key, made of its class and its name, is that of another image"
            raise ConfigurationError(explain(what, found=f"{one.key} of {one.path}", then="Rename one of them."))
    return keyed


def names_are_keys(shards: Sequence[Path], columns: Columns) -> bool:
    """Whether the names of all images of a split are keys: there, different, and unlike those made of rows."""
    seen: set[str] = set()
    for path in shards:
        keys = keys_in_shard(path, name=path.name, columns=columns)
        names = {key for key in keys if key is not None}
        if len(names) < len(keys) or names & seen or (names and are_of_rows(names, path.name)):
            return False
        seen |= names
    return True
