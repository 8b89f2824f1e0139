"""The images of a comparison: originals, the same ones recombined, and the eight variants of those to test on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import NotFoundError, explain
from fornet_hf.evaluation.data.opening import RowsData
from fornet_hf.evaluation.variants.configuration import VariantsConfig
from fornet_hf.evaluation.variants.making import make_variants
from planted_bias.draw import Planted
from planted_bias.prepare import prepare

_DEGREE = 0.7  # of images have their class's own background; the others teach the base something of shapes


@dataclass(frozen=True)
class Sets:
    """The images of a comparison.

    Attributes:
        originals: fields of a run's configuration that has them.
        mixed: likewise, of objects on backgrounds that say nothing of them.
        test: folder with the eight variants of ImageNet-9.
    """

    originals: Mapping[str, Any]
    mixed: Mapping[str, Any]
    test: Path


def planted(folder: Path, counts: Mapping[str, int], shown: int) -> Sets:
    """Draw images whose background predicts the class, and make patches and variants of them, if they are not there.

    Args:
        folder: of all that is made.
        counts: images of each class by split, `train` and `val`.
        shown: images of each class in each variant, at most.
    """
    rows = prepare(folder, Planted(background=_DEGREE), dict(counts))["validation"]
    data = RowsData.of(rows, "validation", str(folder))
    make_variants(data, folder / "variants", VariantsConfig(per_class=shown))
    places = {"patches": folder / "made" / "patches", "imagenet_dir": folder / "set", "cache_dir": folder / "cache"}
    fields = {name: str(place) for name, place in places.items()}
    mixed = {**fields, "recombination": {"background_combination": "all", "orig_img_prob": 0}}
    return Sets({**fields, "plain": True}, mixed, folder / "variants")


def of_variants(folder: Path) -> Sets:
    """Return the images in a folder that `fornet variants` made of both splits.

    Raises:
        NotFoundError: it lacks some.
    """
    for place in (folder / variant / split for variant in ("original", "mixed_rand") for split in ("train", "val")):
        if not place.is_dir():
            then = "Make them: fornet variants --split train, and fornet variants, into one folder."
            raise NotFoundError(explain(f"{folder} lacks images", found=f"no folder {place}", then=then))
    return Sets({"images": str(folder / "original")}, {"images": str(folder / "mixed_rand")}, folder)
