"""Lists of images and their splits, in either of the two layouts that call theirs `images.txt`.

Concept distillation has a path and a code in each line, `images/036.Northern_Flicker/x.jpg 0`: 0 is a test image, 1
one for training, 2 one for validation. CUB-200-2011 has a number and a path in the folder `images`,
`1 001.Black_footed_Albatross/x.jpg`, and the same codes by number in `train_test_split.txt`. Where sets made from CUB
have `train_val_test_split.txt`, too, that one holds, whose codes are those of ReDO and DRC: 0 for training, 1 for
validation, 2 for tests. Paths may have spaces.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fornet_hf.errors import NotFoundError, SourceError, explain
from fornet_hf.format.keys import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "images.txt"
SPLITS = ("test", "train", "validation")
_CODES = dict(zip("012", SPLITS, strict=True))
_CODES_IN = {
    "train_val_test_split.txt": dict(zip("012", ("train", "validation", "test"), strict=True)),
    "train_test_split.txt": _CODES,
}
SPLIT_FILES = tuple(_CODES_IN)
"""Of CUB's layout, the one that holds first."""

_IMAGES = "images"  # the folder that CUB's paths begin in
_PATH = rf"(?P<path>\S.*(?i:{'|'.join(map(re.escape, ENDINGS))}))"
_CODED = re.compile(rf"{_PATH}\s+(?P<code>[012])")
_NUMBERED = re.compile(rf"(?P<number>\d+)\s+{_PATH}")
_SPLIT = re.compile(r"(?P<number>\d+)\s+(?P<code>[012])")
_FORMS = {_CODED: "PATH 0|1|2", _NUMBERED: "NUMBER PATH", _SPLIT: "NUMBER 0|1|2"}
_UNSAFE = re.compile(r"[\\\x00-\x1f]")


@dataclass(frozen=True)
class ListedImage:
    """One entry.

    Attributes:
        path: from the root; its last folder is the class.
        split: `train`, `validation` or `test`.
    """

    path: PurePosixPath
    split: str


@dataclass(frozen=True)
class ImageList:
    """All entries.

    Attributes:
        images: in the order of the list.
        file: the one that says which split each image is in.
    """

    images: Sequence[ListedImage]
    file: Path


def read_image_list(root: Path, split_files: Sequence[str] = SPLIT_FILES) -> ImageList:
    """Return the list of a folder.

    Args:
        root: the folder with `images.txt`.
        split_files: those of `SPLIT_FILES` that may say the splits of CUB's layout, the one that holds first.

    Raises:
        NotFoundError: there is no list, or nothing says which split its images are in.
        SourceError: a file is damaged, lists an image twice, or a path points out of the folder.
    """
    path = root / NAME
    entries = _matches(path, _CODED, _NUMBERED)
    if entries[0][1].re is _CODED:
        found = [(_inside(path, line, one), _CODES[one["code"]]) for line, one in entries]
        return ImageList(_once(path, found), path)
    file = next((root / name for name in split_files if (root / name).is_file()), None)
    if file is None:
        what, allowed = f"{path} does not say which split its images are in", " or ".join(split_files)
        raise NotFoundError(explain(what, found=f"{root} without such a file", allowed=allowed))
    splits = {one["number"]: _CODES_IN[file.name][one["code"]] for _, one in _matches(file, _SPLIT)}
    found = []
    for line, one in entries:
        if one["number"] not in splits:
            raise SourceError(explain(f"{file} has no split of an image", found=f"image {one['number']}"))
        found.append((_inside(path, line, one, _IMAGES), splits[one["number"]]))
    return ImageList(_once(path, found), file)


def _matches(path: Path, *forms: re.Pattern[str]) -> list[tuple[int, re.Match[str]]]:
    """Return the lines that are not empty, with their numbers; all have one of the forms, which is that of the first.

    Raises:
        NotFoundError: there is no such file.
        SourceError: it has no lines, or one has another form.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise NotFoundError(explain("no list of images", found=f"no file {path}")) from error
    except UnicodeDecodeError as error:
        raise SourceError(explain(f"{path} is damaged", found=error, allowed="UTF-8")) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise SourceError(explain(f"{path} is damaged", found="no lines"))
    forms = tuple(form for form in forms if form.fullmatch(lines[0][1])) or forms
    found = []
    for number, line in lines:
        match = forms[0].fullmatch(line)
        if match is None:
            what, allowed = f"{path}, line {number} is damaged", " or ".join(_FORMS[form] for form in forms)
            then = "Correct it, or move the file away if it is of something else."
            raise SourceError(explain(what, found=repr(line)[:80], allowed=allowed, then=then))
        found.append((number, match))
    return found


def _inside(path: Path, number: int, match: re.Match[str], folder: str = "") -> PurePosixPath:
    """Return the path of a line; raise a SourceError if it is not that of an image in a folder below the root."""
    found = PurePosixPath(folder, match["path"])
    if found.is_absolute() or ".." in found.parts or _UNSAFE.search(match["path"]) or len(found.parts) == 1:
        what = f"{path}, line {number}: an image's path is not one in a folder of the set"
        raise SourceError(explain(what, found=repr(match["path"])[:80], allowed="CLASS/IMAGE.jpg"))
    return found


def _once(path: Path, found: list[tuple[PurePosixPath, str]]) -> list[ListedImage]:
    if twice := [image for image, count in Counter(image for image, _ in found).items() if count > 1]:
        raise SourceError(explain(f"{path} lists an image twice", found=str(twice[0])))
    return [ListedImage(image, split) for image, split in found]
