"""Groups of classes: the nine of ImageNet-9, a set's own classes, or groups in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fornet_hf.classes import class_folders, class_names, name_index
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.files import MAX_DOCUMENT_BYTES
from fornet_hf.format.keys import plain_name, valid_key

# From the mapping of MadryLab/backgrounds_challenge; names are those of its folders.
_IN9 = {
    "dog": "151-170 173-268",
    "bird": "7-24 87-100 127-146",
    "wheeled vehicle": (
        "407-408 428 436 444 468 511 547 555 561 565 569 573 586 603 609 612 627 656 661 665 670-671 675 690 705 717 "
        "734 751 757 791 802-803 817 820 829 847 864 866-867 870 880"
    ),
    "reptile": "33-68",
    "carnivore": "269-280 286-299 356-362 387-388",
    "insect": "300-326",
    "musical instrument": (
        "401-402 420 432 486 494 513 541 546 558 566 577 579 593-594 641-642 683-684 687 699 776 822 875 881 889"
    ),
    "primate": "365-384",
    "fish": "0-6 389-397",
}


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """Groups of the classes of a set; a group's number is its label, and the next group is that of the next number.

    Attributes:
        names: of the groups, in the order of their labels.
        groups: int16, for each class of the set the number of its group, or `NO_LABEL`.
    """

    names: tuple[str, ...]
    groups: npt.NDArray[np.int16]

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the class folders, which sort in the order of the labels: `00_dog`, `01_bird`, ..."""
        digits = max(2, len(str(len(self.names) - 1)))
        return tuple(f"{number:0{digits}}_{name}" for number, name in enumerate(self.names))


def in9_of_imagenet() -> npt.NDArray[np.int16]:
    """Return the class of ImageNet-9 for each of ImageNet's 1000: 0 to 8, or -1 for the 630 that have none."""
    groups = np.full(1000, NO_LABEL, np.int16)
    for number, ranges in enumerate(_IN9.values()):
        for part in ranges.split():
            first, _, last = part.partition("-")
            groups[int(first) : int(last or first) + 1] = number
    return groups


def in9_names() -> tuple[str, ...]:
    """Return the names of the nine classes in the official order."""
    return tuple(_IN9)


def taxonomy_of(classes: Sequence[str], choice: str | Path | None = None) -> Taxonomy:
    """Return groups of the classes of a set.

    Args:
        classes: their names in label order.
        choice: "in9", "own" for the classes as they are, or a file, see `read_taxonomy`. None: in9 for ImageNet's
            1000, else own.

    Raises:
        ConfigurationError: in9 of classes that are not ImageNet's, or a set of one class.
        NotFoundError: there is no such file.
    """
    if choice is None:
        choice = "in9" if list(classes) in (class_names(), class_folders()) else "own"
    if choice == "in9":
        known = name_index()
        if others := [name for name in classes if name not in known]:
            then = "Name a file with groups of its own classes, or own."
            raise ConfigurationError(explain("the classes are not ImageNet's", found=others[0], then=then))
        return Taxonomy(tuple(_IN9), in9_of_imagenet()[[known[name] for name in classes]])
    if choice == "own":
        names = [valid_key(name) for name in classes]  # they become names of folders
        if len(set(names)) < 2:
            raise ConfigurationError(explain("there are no classes to mix", found=names, allowed="2 or more"))
        return Taxonomy(tuple(names), np.arange(len(names), dtype=np.int16))
    return read_taxonomy(Path(choice), classes)


def read_taxonomy(file: Path, classes: Sequence[str]) -> Taxonomy:
    """Return the groups in a JSON file.

    It is an object: each name of a group has a list of classes, each by its name, its WNID or its index. The order in
    the file is the order of the labels. Classes that stand in no list have no group.

    Args:
        file: e.g. `{"cat": ["n02123045", 282], "dog": [207]}`.
        classes: names of the set's classes in label order.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is no such object, has less than two groups, names a class that is not there, or one
            class twice.
    """
    groups = np.full(len(classes), NO_LABEL, np.int16)
    numbers = _numbers(classes)
    entries = _entries(file)
    for group, (name, members) in enumerate(entries.items()):
        for member in members:
            index = member if isinstance(member, int) else numbers.get(member, -1)
            if not 0 <= index < len(groups):
                allowed = f"names, WNIDs, or indices from 0 to {len(groups) - 1}, of the data's classes"
                raise ConfigurationError(explain(f"{file}: {name}: no such class", found=member, allowed=allowed))
            if groups[index] != NO_LABEL:
                allowed = "one group for each class"
                raise ConfigurationError(
                    explain(f"{file}: a class stands there twice", found=member, allowed=allowed)
                )
            groups[index] = group
    return Taxonomy(tuple(entries), groups)


def _entries(file: Path) -> Mapping[str, Sequence[str | int]]:
    """Return the checked object of a file."""
    allowed = '{"name": ["class", 7, ...], ...}: two groups or more, whose names can be names of folders'
    what = f"{file} is no mapping of classes"
    try:
        if file.stat().st_size > MAX_DOCUMENT_BYTES:
            raise ConfigurationError(explain(what, found=f"{file.stat().st_size} bytes", allowed=MAX_DOCUMENT_BYTES))
        value = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except FileNotFoundError as error:
        raise NotFoundError(f"no file {file}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(explain(what, found=error, allowed=allowed)) from error
    good = isinstance(value, dict) and 2 <= len(value) <= np.iinfo(np.int16).max
    if not (good and all(_is_group(members) for members in value.values())):
        raise ConfigurationError(explain(what, found=value, allowed=allowed))
    try:
        return {plain_name(name, "group"): members for name, members in value.items()}
    except ValueError as error:
        raise ConfigurationError(explain(what, found=error, allowed=allowed)) from error


def _is_group(members: Any) -> bool:
    return isinstance(members, list) and bool(members) and all(type(member) in (str, int) for member in members)


def _once(pairs: Sequence[tuple[str, Any]]) -> Any:
    """Return the object of a JSON file; none if a name stands there twice."""
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else None


def _numbers(classes: Sequence[str]) -> dict[str, int]:
    """Return the index of each class by all of its names: ImageNet's classes have WNIDs, too."""
    own = {name: index for index, name in enumerate(classes)}
    known = name_index()
    places = {known[name]: index for name, index in own.items() if name in known}
    return {name: places[index] for name, index in known.items() if index in places} | own
