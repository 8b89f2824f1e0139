"""Names of masks and images, and which of them go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.format.keys import image_key, is_image, key_with_class
from fornet_hf.sources.image_list import NAME, read_image_list


class Name(NamedTuple):
    """The name of a mask.

    Attributes:
        stem: of the image.
        folder: of its class or sequence; empty: it lies in none.
    """

    stem: str
    folder: str = ""


class NameSet:
    """Things with names.

    Attributes:
        names: of all.
        sequences: whether those of one folder are the frames of a film.
    """

    names: Sequence[Name]
    sequences: bool = False

    def keys(self) -> list[str]:
        """Return a key for each: its stem, with its folder where several have the same."""
        twice = _repeated(name.stem for name in self.names)
        return [
            key_with_class(name.folder, name.stem) if name.folder and name.stem in twice else name.stem
            for name in self.names
        ]

    def numbers(self) -> Mapping[str, int]:
        """Return the numbers by keys: the stem, if no other has it, and stem and folder.

        Raises:
            SourceError: two have the same key.
        """
        if twice := _repeated(self.keys()):
            raise SourceError(explain("two masks of one name", found=sorted(twice)[:3]))
        stems = _repeated(name.stem for name in self.names)
        found = {name.stem: number for number, name in enumerate(self.names) if name.stem not in stems}
        for number, name in enumerate(self.names):
            if name.folder:
                found.setdefault(key_with_class(name.folder, name.stem), number)
        return found

    def matched(self, truth: NameSet) -> dict[int, int]:
        """Return the number of the truth for each of these that has one, by their keys.

        Raises:
            SourceError: two have the same key.
        """
        found, chosen = self.numbers(), dict[int, int]()
        for key, number in truth.numbers().items():  # those with folders come last, and are the better ones
            if key in found:
                folders = {self.names[found[key]].folder, truth.names[number].folder} - {""}
                if len(folders) < 2 or not truth.sequences:  # frame 7 of another film is another image
                    chosen[number] = found[key]
        return {mine: number for number, mine in chosen.items()}


def _repeated(texts: Iterable[str]) -> set[str]:
    return {text for text, count in Counter(texts).items() if count > 1}


@dataclass(frozen=True)
class Images(NameSet):
    """Image files.

    Attributes:
        names: of them.
        paths: likewise.
    """

    names: Sequence[Name]
    paths: Sequence[Path]


def image_files(root: Path) -> Images:
    """Return the images of a folder: those of its `images.txt`, or all; DRC's are called `_resized`.

    Raises:
        NotFoundError, SourceError: as `files_in` and `read_image_list`.
    """
    if (root / NAME).is_file():
        paths = [root / image.path for image in read_image_list(root).images]
        return Images([Name(image_key(path.name)[0], path.parent.name) for path in paths], paths)
    files = files_in(root, "*", "_resized")
    return Images([*files], [*files.values()])


def files_in(root: Path, pattern: str = "*.png", suffix: str = "") -> dict[Name, Path]:
    """Return the images of a folder: those that lie in it, and those in its folders, at any depth.

    Args:
        root: the folder.
        pattern: of their file names in lower case.
        suffix: of their stems, which is left out of their names.

    Raises:
        NotFoundError: there is no such folder, or no such file in it.
        SourceError: two files differ in nothing but their ending or their upper folders.
    """
    if not root.is_dir():
        raise NotFoundError(explain("no folder of masks or images", found=root))
    found: dict[Name, Path] = {}
    for path in sorted(root.rglob("*")):
        if not (is_image(path) and fnmatchcase(path.name.lower(), pattern) and path.is_file()):
            continue
        stem = image_key(path.name)[0].removesuffix(suffix)
        name = Name(stem, path.parent.name if path.parent != root else "")
        if name in found:
            raise SourceError(explain("two files of one name", found=f"{found[name]} and {path}"))
        found[name] = path
    if not found:
        raise NotFoundError(
            explain("no masks or images", found=f"none in {root}" if pattern == "*" else f"no {pattern} in {root}")
        )
    return found
