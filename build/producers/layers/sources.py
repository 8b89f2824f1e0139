"""The images that layers are learned from: a folder of one kind, a class of a labelled set, or one of DRC's sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.masks.names import Name
from fornet_hf.sources import Columns
from fornet_hf.sources.image_list import NAME, read_image_list
from fornet_hf.sources.selection import read_selection
from producers.pairs.images import Images, images_of, images_of_class

_SELECTIONS = {"data_mrcnn_train_select.npy": "data_mrcnn/train/orig", "data_tr_sel.npy": "train_orig/orig"}
"""Of cars and of dogs: the file that says which images are for training, and the folder of these at full size."""

_SUFFIX = "_orig.png"


def images_asked(
    root: Path, *, name: str | None = None, split: str = "all", drc: bool = False, columns: Columns | None = None
) -> Images:
    """Return the images to learn from, in a fixed order.

    Args:
        root: a folder of images at any depth; with `name` a set as for segment.py; with `drc` one of DRC's.
        name: of a class, as `images_of_class` takes it; None: all images.
        split: of the classes' images: train, validation, val or all.
        drc: whether the root is the folder birds, dogs or cars of Deep Region Competition.
        columns: of Parquet shards; by default found by their names and types.

    Raises:
        ConfigurationError: there is no such class, or options do not go together.
        NotFoundError: there are no such images.
        SourceError: a file is damaged.
    """
    if drc:
        if name is not None or split != "all":
            found, allowed = f"a class or split of {root}", "all that DRC has selected for training"
            raise ConfigurationError(explain("--drc with --class or --split", found=found, allowed=allowed))
        return _drc(root)
    columns = columns or Columns()
    if name is not None:
        return images_of_class(root, name, split, columns)
    if split != "all":
        what, then = "--split without --class", "Give the folder of the split as IMAGES."
        raise ConfigurationError(explain(what, found=split, allowed="a class and its split", then=then))
    return images_of(root, columns)


def _drc(root: Path) -> Images:
    """Return the training images of Deep Region Competition's birds, dogs or cars, at full size."""
    if (root / NAME).is_file():
        listed = read_image_list(root, ["train_val_test_split.txt"])
        paths = [root / image.path for image in listed.images if image.split == "train"]
        return _files(paths, [Name(path.stem, path.parent.name) for path in paths])
    for file, folder in _SELECTIONS.items():
        if (root / file).is_file():
            tokens = read_selection(root / file)
            return _files([root / folder / f"{token}{_SUFFIX}" for token in tokens], [Name(one) for one in tokens])
    allowed = f"{NAME} (birds), {' (cars) or '.join(_SELECTIONS)} (dogs)"
    raise NotFoundError(explain(f"{root} is none of DRC's sets", found="none of their files", allowed=allowed))


def _files(paths: Sequence[Path], names: Sequence[Name]) -> Images:
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        found = f"{len(missing)} of {len(paths)}" + "".join(f", such as {path}" for path in missing[:1])
        then = "Unpack the originals beside the selection; for dogs they are an archive of their own."
        raise NotFoundError(explain("training images are missing", found=found, allowed="all of them", then=then))
    return Images(names, paths)
