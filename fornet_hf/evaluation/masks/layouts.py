"""The truth in the layouts of public sets: every object in an image is the object, unless something else is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError, explain
from fornet_hf.evaluation.masks.coco import read_coco
from fornet_hf.evaluation.masks.names import Name, files_in
from fornet_hf.evaluation.masks.sets import Files, MaskSet, Outlining, by_index, by_level

_VOID = 255  # of VOC: the border of objects, and what was not labelled
_HALF = 127


def read_truth(root: Path, layout: str, *, threshold: int | None = None, categories: Sequence[str] = ()) -> MaskSet:
    """Return the masks in a layout.

    Args:
        root: the folder; of `coco` the JSON file.
        layout: one of `LAYOUTS`.
        threshold: grey level above which is the object, for `png`, `cub` and `drc`; None: the layout's own.
        categories: names of those whose objects count, for `coco`; empty: all.

    Raises:
        NotFoundError: there are no such masks.
        SourceError: two of them have one name, or a file is damaged.
        ConfigurationError: there is no such category, or the layout has no use for a threshold or for categories.
    """
    if categories and layout != "coco":
        raise ConfigurationError(explain("categories are not allowed", found=f"the layout {layout}", allowed="coco"))
    if layout == "coco" or layout in _BY_INDEX:
        if threshold is not None:
            found, allowed = f"the layout {layout}, which has no grey levels", ", ".join(_BY_LEVEL)
            raise ConfigurationError(explain("a threshold is not allowed", found=found, allowed=allowed))
        return read_coco(root, categories) if layout == "coco" else _BY_INDEX[layout](root)
    return _BY_LEVEL[layout](root, threshold)


def _png(root: Path, threshold: int | None) -> MaskSet:
    rule = "all but level 0" if threshold is None else f"above level {threshold}"
    return _files(files_in(root), by_level(threshold), rule)


def _voc(root: Path) -> MaskSet:
    folder = _first(root, "SegmentationObject", "SegmentationClass")
    return _files(files_in(folder), by_index(_VOID), f"all but index 0; {_VOID} is not counted")


def _davis(root: Path) -> MaskSet:
    folder = _first(root, "Annotations/480p", "Annotations/Full-Resolution", "480p")
    return _files(files_in(folder), by_level(0), "all but index 0", sequences=True)


def _cub(root: Path, threshold: int | None) -> MaskSet:
    level = _HALF if threshold is None else threshold
    return _files(files_in(_first(root, "segmentations")), by_level(level), f"above level {level}")


def _drc(root: Path, threshold: int | None) -> MaskSet:
    """Return the test masks of Deep Region Competition's sets: birds as in CUB; dogs and cars resized beforehand."""
    level = _HALF if threshold is None else threshold
    rule = f"above level {level}, test split"
    if (root / "segmentations").is_dir():
        files, chosen = files_in(root / "segmentations"), _birds_of_test(root)
    else:
        suffix, folder = "_maskresized", root / "data_mrcnn" / "test" / "resized"
        files = {Name(name.stem): path for name, path in files_in(folder, f"*{suffix}.png", suffix).items()}
        chosen = {*map(Name, _tokens(root))}
    if missing := sorted(name.stem for name in chosen - files.keys()):
        raise NotFoundError(explain(f"{len(missing)} masks of the test split are missing", found=missing[:3]))
    return _files({name: path for name, path in files.items() if name in chosen}, by_level(level), rule)


def _tokens(root: Path) -> list[str]:
    for file in ("data_mrcnn_test_select.npy", "data_te_sel.npy"):
        if (root / file).is_file():
            try:
                return [str(token) for token in np.load(root / file, allow_pickle=False)]
            except (OSError, ValueError, EOFError) as error:
                raise SourceError(explain(f"{root / file} cannot be read", found=error)) from error
    raise NotFoundError(explain(f"{root} does not say which images are tests", allowed="data_mrcnn_test_select.npy"))


def _birds_of_test(root: Path) -> set[Name]:
    """Return those with code 0 in `train_val_test_split.txt`."""
    try:
        paths = _numbered(root / "images.txt")
        codes = _numbered(root / "train_val_test_split.txt")
        test = [Path(paths[number]) for number, code in codes.items() if int(code) == 0]
    except FileNotFoundError as error:
        raise NotFoundError(explain(f"{root} does not say which images are tests", found=error)) from error
    except (KeyError, ValueError) as error:
        raise SourceError(explain(f"{root}: its lists of images are damaged", found=error)) from error
    return {Name(path.stem, path.parent.name) for path in test}


def _numbered(path: Path) -> Mapping[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split(maxsplit=1) for line in lines if line.strip())


def _files(files: Mapping[Name, Path], outline: Outlining, rule: str, *, sequences: bool = False) -> Files:
    return Files([*files], [*files.values()], outline, rule, sequences)


def _first(root: Path, *folders: str) -> Path:
    """Return the first of these folders that is there, else the root, which may be one of them itself."""
    return next((root / name for name in folders if (root / name).is_dir()), root)


_BY_LEVEL: Mapping[str, Callable[[Path, int | None], MaskSet]] = {"png": _png, "cub": _cub, "drc": _drc}
_BY_INDEX: Mapping[str, Callable[[Path], MaskSet]] = {"voc": _voc, "davis": _davis}
LAYOUTS = (*_BY_LEVEL, *_BY_INDEX, "coco")
