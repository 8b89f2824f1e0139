"""The truth in the layouts of public sets: every object in an image is the object, unless something else is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.masks.coco import read_coco
from fornet_hf.evaluation.masks.names import Name, files_in
from fornet_hf.evaluation.masks.sets import Files, MaskSet, Outlining, by_index, by_level
from fornet_hf.format.keys import image_key
from fornet_hf.sources.image_list import SPLITS, read_image_list
from fornet_hf.sources.selection import read_selection

_VOID = 255  # of VOC: the border of objects, and what was not labelled
_HALF = 127


def read_truth(
    root: Path,
    layout: str,
    *,
    threshold: int | None = None,
    categories: Sequence[str] = (),
    split: str | None = None,
) -> MaskSet:
    """Return the masks in a layout.

    Args:
        root: the folder; of `coco` the JSON file.
        layout: one of `LAYOUTS`.
        threshold: grey level above which is the object, for `png`, `cub` and `drc`; None: the layout's own.
        categories: names of those whose objects count, for `coco`; empty: all.
        split: one of `SPLITS`, for `cub`; None: all.

    Raises:
        NotFoundError: there are no such masks.
        SourceError: two of them have one name, or a file is damaged.
        ConfigurationError: there is no such category, or the layout has no use for what is given.
    """
    if split is not None and (layout != "cub" or split not in SPLITS):
        found, allowed = f"{split!r} of the layout {layout}", f"{', '.join(SPLITS)} of cub"
        raise ConfigurationError(explain("the split is not allowed", found=found, allowed=allowed))
    if categories and layout != "coco":
        raise ConfigurationError(explain("categories are not allowed", found=f"the layout {layout}", allowed="coco"))
    if layout == "coco" or layout in _BY_INDEX:
        if threshold is not None:
            found, allowed = f"the layout {layout}, which has no grey levels", ", ".join(_BY_LEVEL)
            raise ConfigurationError(explain("a threshold is not allowed", found=found, allowed=allowed))
        return read_coco(root, categories) if layout == "coco" else _BY_INDEX[layout](root)
    return _cub(root, threshold, split) if layout == "cub" else _BY_LEVEL[layout](root, threshold)


def _png(root: Path, threshold: int | None) -> MaskSet:
    rule = "all but level 0" if threshold is None else f"above level {threshold}"
    return _files(files_in(root), by_level(threshold), rule)


def _voc(root: Path) -> MaskSet:
    folder = _first(root, "SegmentationObject", "SegmentationClass")
    return _files(files_in(folder), by_index(_VOID), f"all but index 0; {_VOID} is not counted")


def _davis(root: Path) -> MaskSet:
    folder = _first(root, "Annotations/480p", "Annotations/Full-Resolution", "480p")
    return _files(files_in(folder), by_level(0), "all but index 0", sequences=True)


def _cub(root: Path, threshold: int | None, split: str | None = None) -> MaskSet:
    """Return the masks of a split of CUB-200-2011, whose archive of masks may lie in its folder or beside it."""
    level = _HALF if threshold is None else threshold
    files, rule = files_in(_first(root, "segmentations", "../segmentations")), f"above level {level}"
    try:
        listed = read_image_list(root)
    except NotFoundError:
        if split is not None:
            raise
        return _files(files, by_level(level), rule)  # nothing says splits, and nobody asks for one
    splits = {Name(image_key(one.path.name)[0], one.path.parent.name): one.split for one in listed.images}
    if split is not None:
        files = _chosen(files, {name for name, one in splits.items() if one == split}, split)
        rule = f"{rule}, {split} split of {listed.file.name}"
    return Files([*files], [*files.values()], by_level(level), rule, splits=[splits.get(name, "") for name in files])


def _drc(root: Path, threshold: int | None) -> MaskSet:
    """Return the test masks of Deep Region Competition's sets: birds as in CUB; dogs and cars resized beforehand."""
    level = _HALF if threshold is None else threshold
    rule = f"above level {level}, test split"
    if (root / "segmentations").is_dir():
        listed = read_image_list(root, ["train_val_test_split.txt"])
        tests = (image.path for image in listed.images if image.split == "test")
        files, chosen = files_in(root / "segmentations"), {Name(path.stem, path.parent.name) for path in tests}
    else:
        suffix, folder = "_maskresized", root / "data_mrcnn" / "test" / "resized"
        files = {Name(name.stem): path for name, path in files_in(folder, f"*{suffix}.png", suffix).items()}
        chosen = {*map(Name, _tokens(root))}
    files = _chosen(files, chosen, "test")
    return Files([*files], [*files.values()], by_level(level), rule, splits=["test"] * len(files))


def _chosen(files: Mapping[Name, Path], chosen: set[Name], split: str) -> dict[Name, Path]:
    if missing := sorted(name.stem for name in chosen - files.keys()):
        raise NotFoundError(explain(f"{len(missing)} masks of the {split} split are missing", found=missing[:3]))
    return {name: path for name, path in files.items() if name in chosen}


def _tokens(root: Path) -> list[str]:
    for file in ("data_mrcnn_test_select.npy", "data_te_sel.npy"):
        if (root / file).is_file():
            return read_selection(root / file)
    raise NotFoundError(explain(f"{root} does not say which images are tests", allowed="data_mrcnn_test_select.npy"))


def _files(files: Mapping[Name, Path], outline: Outlining, rule: str, *, sequences: bool = False) -> Files:
    return Files([*files], [*files.values()], outline, rule, sequences)


def _first(root: Path, *folders: str) -> Path:
    """Return the first of these folders that is there, else the root, which may be one of them itself."""
    return next((root / name for name in folders if (root / name).is_dir()), root)


_BY_LEVEL: Mapping[str, Callable[[Path, int | None], MaskSet]] = {"png": _png, "cub": _cub, "drc": _drc}
_BY_INDEX: Mapping[str, Callable[[Path], MaskSet]] = {"voc": _voc, "davis": _davis}
LAYOUTS = (*_BY_LEVEL, *_BY_INDEX, "coco")
