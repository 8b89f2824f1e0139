"""The public tools' layout: where the files of a split are.

{root}/{train|val}/{foregrounds|backgrounds}/{class}/{key}.{WEBP|JPEG}
{root}/{foregrounds|backgrounds}_{train|val}.zip       the same trees, stored without compression
{root}/fg_bg_ratios_{train|val}.json                   area of the object / area of its image
{root}/classes.json                                    names of the class folders in label order; not for ImageNet
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.classes import wnid_index
from fornet_hf.errors import ConfigurationError, PatchFormatError, explain
from fornet_hf.files import write_text
from fornet_hf.release.interface import PARTS

FOREGROUNDS, BACKGROUNDS = PARTS
ENDINGS = {FOREGROUNDS: ".WEBP", BACKGROUNDS: ".JPEG"}
KINDS = tuple(ENDINGS)
SPLITS = {"train": "train", "validation": "val"}
CLASSES = "classes.json"


@dataclass(frozen=True)
class Layout:
    """The files of one split.

    Attributes:
        root: the folder.
        split: `train` or `validation`.

    Raises:
        ConfigurationError: another split.
    """

    root: Path
    split: str

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ConfigurationError(explain("no such split", found=repr(self.split), allowed=list(SPLITS)))

    @property
    def name(self) -> str:
        """The split's name in paths: `train` or `val`."""
        return SPLITS[self.split]

    @property
    def ratios(self) -> Path:
        """The file of the ratios."""
        return self.root / f"fg_bg_ratios_{self.name}.json"

    @property
    def problems(self) -> Path:
        """The file in which `apply` lists the images that it could not make."""
        return self.root / f"apply_problems_{self.name}.jsonl"

    @property
    def dataset_problems(self) -> Path:
        """The same of `apply --datasets`, which knows nothing of the images in folders and zips."""
        return self.root / f"apply_problems_{self.name}_datasets.jsonl"

    @property
    def work(self) -> Path:
        """The folder in which `apply` keeps what is not finished."""
        return self.root / ".apply" / self.name

    def folder(self, kind: str) -> Path:
        """Return the folder of the class folders."""
        return self.root / self.name / kind

    def archive(self, kind: str) -> Path:
        """Return the path of the zip."""
        return self.root / f"{kind}_{self.name}.zip"

    def member(self, kind: str, folder: str, key: str) -> str:
        """Return the path of an image below the root, which is also its name in the zip."""
        return f"{self.name}/{kind}/{folder}/{key}{ENDINGS[kind]}"

    def file(self, kind: str, folder: str, key: str) -> Path:
        """Return the path of an image in folders."""
        return self.root / self.member(kind, folder, key)


def splits_in(root: Path) -> list[str]:
    """Return the splits that have foregrounds below a root."""
    layouts = [Layout(root, split) for split in SPLITS]
    return [one.split for one in layouts if one.archive(FOREGROUNDS).is_file() or one.folder(FOREGROUNDS).is_dir()]


def write_classes(root: Path, names: Sequence[str]) -> None:
    """Write down the class folders in label order, where they are not ImageNet's."""
    write_text(root / CLASSES, json.dumps(list(names)) + "\n")


def class_order(root: Path, folders: Sequence[str]) -> list[str]:
    """Return the class folders in label order: by `classes.json`, else as in ImageNet, else by name.

    Raises:
        PatchFormatError: `classes.json` is not a list of different names, or lacks a class that is there.
    """
    path = root / CLASSES
    if not path.is_file():
        return list(wnid_index()) if set(folders) <= set(wnid_index()) else sorted(folders)
    try:
        names = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise PatchFormatError(explain(f"{path}: no JSON", found=error)) from error
    if not isinstance(names, list) or len({str(name) for name in names}) < len(names):
        raise PatchFormatError(explain(f"{path}: no list of class folders", allowed="different names"))
    if missing := sorted(set(folders) - set(names)):
        raise PatchFormatError(explain(f"{path} lacks class folders that are there", found=missing[:5]))
    return [str(name) for name in names]
