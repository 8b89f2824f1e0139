"""Files in the folders of ImageNet-9: the classes by their numbers, and what the files' names say."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fornet_hf.errors import SourceError, explain
from fornet_hf.evaluation.data.names import sources_in
from fornet_hf.format.keys import is_image
from fornet_hf.sources.image import split_names

_NUMBERED = re.compile(r"(\d+)(?:_(.+))?")

Item = tuple[int, str]  # class and stem of the original image


class File(NamedTuple):
    """One image of a variant.

    Attributes:
        path: of the file.
        background: stem of the image that the background comes from; empty: the item's own.
    """

    path: Path
    background: str = ""


def split_folder(folder: Path, split: str) -> Path | None:
    """Return the folder of a split; None: there is none.

    Raises:
        SourceError: there are two.
    """
    found = [folder / name for name in split_names(split) if (folder / name).is_dir()]
    if len({place.resolve() for place in found}) > 1:
        names = [str(place) for place in found]
        raise SourceError(explain(f"split {split!r} has two folders", found=names, then="Remove one of them."))
    return found[0] if found else None


def class_names_of(places: Mapping[str, Path]) -> tuple[str, ...]:
    """Return the names of the classes by the numbers of their folders, which lie in one or more places.

    Raises:
        SourceError: folders are not numbered from 0 on, each number with one name and each name with one number.
    """
    names: dict[int, str] = {}
    for place in places.values():
        for folder in _class_folders(place):
            match = _NUMBERED.fullmatch(folder.name)
            if match is None:
                raise SourceError(explain("a class folder has no number", found=folder, allowed="00_dog, ..."))
            number, name = int(match[1]), match[2] or match[1]
            if names.setdefault(number, name) != name:
                found = f"{names[number]!r} and {name!r}"
                raise SourceError(explain(f"class {number} of {place.parent.parent} has two names", found=found))
    if repeated := [name for name, count in Counter(names.values()).items() if count > 1]:
        raise SourceError(explain("two classes have one name", found=repeated[0]))
    if sorted(names) != [*range(len(names))] or not names:
        found, allowed = str(sorted(names)), "a folder for each number from 0 on, in one variant at least"
        raise SourceError(explain("numbers of class folders are missing", found=found, allowed=allowed))
    return tuple(names[number] for number in range(len(names)))


def _class_folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))


def listing(place: Path) -> Iterator[tuple[int, Path]]:
    """Yield class and path of each file, sorted.

    Raises:
        SourceError: a name that is not UTF-8.
    """
    for folder in _class_folders(place):
        label = int(folder.name.partition("_")[0])
        with os.scandir(folder) as entries:
            found = sorted(entry.name for entry in entries if entry.is_file())
        for name in found:
            try:
                name.encode()
            except UnicodeEncodeError as error:  # tables and pages could not name it
                raise SourceError(explain("a file's name is not UTF-8", found=ascii(str(folder / name)))) from error
        yield from ((label, folder / name) for name in found if not name.startswith("."))


def files_of(variant: str, listed: Sequence[tuple[int, Path]], known: set[str]) -> dict[Item, File]:
    """Return the images of a variant; `known` are the stems of the originals.

    Raises:
        SourceError: two files are of one original image.
    """
    files: dict[Item, File] = {}
    for label, path in listed:
        if not is_image(path):
            continue
        item, background = sources_in(path.stem, mixed=variant.startswith("mixed_"), known=known)
        if (label, item) in files:
            found = f"{files[label, item].path.name} and {path.name}"
            then = "Remove one of them."
            raise SourceError(explain(f"two images of {item} in {path.parent}", found=found, then=then))
        files[label, item] = File(path, background)
    return files
