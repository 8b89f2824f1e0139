"""ImageNet-9's folders as data of an evaluation: those of the official release, or of `fornet variants`.

`FOLDER/VARIANT/SPLIT/NN_CLASS/NAME.JPEG`, and masks as `FOLDER/fg_mask/SPLIT/NN_CLASS/NAME.npy`. The class is the
number in front of a folder's name. An item is an original image; its conditions are the variants that are there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fornet_hf.classes import wnid_index
from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.names import MASKS, NOTE, VARIANTS
from fornet_hf.evaluation.data.tree_files import File, Item, class_names_of, files_of, listing, split_folder
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.labels.mapping import Grouped
from fornet_hf.evaluation.labels.taxonomy import in9_names, in9_of_imagenet
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import ORIGINAL, Condition
from fornet_hf.evaluation.stimuli.protocol import Shown, View
from fornet_hf.files import sha256_of
from fornet_hf.format.keys import is_image
from fornet_hf.format.raster import decode_rgb
from fornet_hf.sources.image import split_names

_WNID = re.compile(r"(n\d{8})_.*")
_MISSING = "no file of this variant"


def is_tree(folder: Path) -> bool:
    """Return whether a folder holds a variant of ImageNet-9 of some split."""
    return any(split_folder(folder / name, split) for name in VARIANTS for split in ("train", "validation"))


@dataclass(frozen=True)
class TreeData:
    """One split of such a folder; see `read_tree`.

    Attributes:
        root: the folder.
        split: `train` or `validation`.
        name: in results.
        class_names: in the order of their folders.
        variants: those that are there, in the paper's order.
        files: of each variant, by item.
        masks: of each item's foreground, where there is one.
        fingerprint: digest of the names and contents of all files.
        grouped: the classes that `fornet variants` made these of; None: nobody says.
    """

    root: Path
    split: str
    name: str
    class_names: tuple[str, ...]
    variants: tuple[str, ...]
    files: Mapping[str, Mapping[Item, File]]
    masks: Mapping[Item, Path]
    fingerprint: str
    grouped: Grouped | None = None

    @property
    def too_few_classes(self) -> str:
        """Says that fewer than two classes have images, so that nobody can be wrong; empty: two or more have."""
        shown = {label for files in self.files.values() for label, _ in files}
        if len(shown) > 1:
            return ""
        found = f"images of {', '.join(self.class_names[label] for label in shown) or 'none'} in {self.root}"
        then = "Make variants of more classes: fornet variants --help"
        return explain("a classifier has nothing to choose from", found=found, allowed="two classes", then=then)

    def lacks(self, conditions: Mapping[str, Condition]) -> str:
        """Say which variants are not there; empty: all of these are."""
        if missing := [name for name in conditions if name not in self.variants]:
            then = "Evaluate the rows of a ForNet, or make variants with fornet variants."
            what = f"{self.root} has no images of {', '.join(missing)}"
            return explain(what, found=", ".join(self.variants), then=then)
        return ""

    def stimuli(self, conditions: Mapping[str, Condition], config: EvaluationConfig) -> TreeStimuli:
        """Return the images of these variants; without any named, of all.

        Raises:
            ConfigurationError: a variant is not there.
        """
        del config  # nothing is drawn
        if reason := self.lacks(conditions):
            raise ConfigurationError(reason)
        return TreeStimuli(self, tuple(conditions) or self.variants)


@dataclass(frozen=True)
class TreeStimuli:
    """The images of a tree, as they are: files are decoded, and nothing else.

    A classifier of their size sees their bytes, as in the official protocol. Only for a classifier of another size,
    or images that are not square, its own preprocessing comes between.
    """

    data: TreeData
    conditions: tuple[str, ...]

    @cached_property
    def items(self) -> Sequence[Item]:
        """Class and stem of each item, sorted."""
        return sorted({item for name in self.conditions for item in self.data.files[name]})

    @cached_property
    def keys(self) -> Sequence[str]:
        """Stem of each item; where classes share a stem, with the class in front."""
        counts = Counter(stem for _, stem in self.items)
        names = self.data.class_names
        return [stem if counts[stem] == 1 else f"{names[label]}/{stem}" for label, stem in self.items]

    @property
    def sources(self) -> Sequence[str]:
        """The keys: each item comes from an image of its own."""
        return self.keys

    @cached_property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class of each item."""
        return np.array([label for label, _ in self.items], np.int64)

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes."""
        return self.data.class_names

    @property
    def fingerprint(self) -> str:
        """Digest of the names and contents of all files."""
        return self.data.fingerprint

    def shown(self, item: int, preprocessing: Preprocessing) -> Shown:
        """Return the images of an item.

        Raises:
            SourceError: a file is damaged.
        """
        views, missing = [], {}
        for condition, variant in enumerate(self.conditions):
            file = self.data.files[variant].get(self.items[item])
            if file is None:
                missing[condition] = _MISSING
                continue
            image = read_image(file.path, preprocessing)
            views.append(View(condition, image, file.background, self._class_of(file.background)))
        return Shown(views, missing)

    def _class_of(self, stem: str) -> int:
        """Return the class of a background: the item's of this name, else the WNID's; `NO_LABEL`: it is not known."""
        if stem in self._labels:
            return self._labels[stem]
        match = _WNID.fullmatch(stem)
        index = wnid_index().get(match[1]) if match and self.class_names == in9_names() else None
        return NO_LABEL if index is None else int(in9_of_imagenet()[index])

    @cached_property
    def _labels(self) -> Mapping[str, int]:
        counts = Counter(stem for _, stem in self.items)
        return {stem: label for label, stem in self.items if counts[stem] == 1}


def read_image(path: Path, preprocessing: Preprocessing | None = None) -> npt.NDArray[np.uint8]:
    """Return an image, uint8, 3 x height x width: as it is if it has the classifier's size, else preprocessed.

    Raises:
        SourceError: the file is damaged.
    """
    try:
        image = decode_rgb(path.read_bytes())
    except SourceError as error:
        raise error.at(path) from error
    if preprocessing is None or image.size == (preprocessing.size, preprocessing.size):
        return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
    return preprocessing.prepared(image)


def read_tree(root: Path, split: str = "validation", name: str | None = None) -> TreeData:
    """Return what is in a folder of ImageNet-9. All files are read once, for the fingerprint.

    Args:
        root: the folder with the variants.
        split: `train` or `validation`.
        name: in results; default: the folder's.

    Raises:
        NotFoundError: the folder holds no variants of this split.
        SourceError: folders of classes are not numbered from 0 on, one name each; two files are one variant of one
            image, or two folders one split of it.
    """
    places = {one: folder for one in (*VARIANTS, MASKS) if (folder := split_folder(root / one, split))}
    if not set(places) - {MASKS}:
        then = f"Expected {root}/original/{split_names(split)[0]}/00_CLASS/IMAGE.JPEG, as fornet variants makes it."
        raise NotFoundError(explain(f"no variants of ImageNet-9 of the split {split} in {root}", then=then))
    class_names = class_names_of(places)
    listed = {one: [*listing(folder)] for one, folder in places.items()}
    known = {path.stem for _, path in listed.get(ORIGINAL, ()) if is_image(path)}
    files = {one: files_of(one, listed[one], known) for one in VARIANTS if one in places}
    masks = {(label, path.stem): path for label, path in listed.get(MASKS, ()) if path.suffix.lower() == ".npy"}
    entries = sorted((str(path.relative_to(root)), sha256_of(path)) for found in listed.values() for _, path in found)
    digest = hashlib.sha256(repr(entries).encode("utf-8", "surrogatepass")).hexdigest()
    grouped = _grouped(root / NOTE, split, class_names)
    return TreeData(root, split, name or root.name, class_names, tuple(files), files, masks, digest, grouped)


def _grouped(file: Path, split: str, class_names: Sequence[str]) -> Grouped | None:
    """Return the classes that those of a folder were made of, if the note of `fornet variants` says so."""
    if not file.is_file():
        return None
    try:
        note = json.loads(file.read_bytes())
        for part in (note[name] for name in split_names(split) if name in note):
            known, names = part["settings"], part.get("labels", [])
            groups = np.array(known["class_of_label"], np.int16)
            if not ((groups >= NO_LABEL) & (groups < len(known["classes"]))).all():
                raise IndexError(f"class_of_label {groups.tolist()}")
            if known["classes"] == list(class_names) and groups.shape == (len(names),):
                return Grouped(tuple(map(str, names)), groups)
    except (ValueError, LookupError, TypeError, OverflowError, AttributeError) as error:
        then = "Delete the file; then --labels says which class each output means."
        raise SourceError(explain(f"{file} is no note of fornet variants", found=repr(error), then=then)) from error
    return None
