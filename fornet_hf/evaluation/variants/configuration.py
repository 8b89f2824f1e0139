"""Settings of `fornet variants`, validated here, once, for every way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.data.names import OFFICIAL, VARIANTS
from fornet_hf.evaluation.variants import eligibility
from fornet_hf.evaluation.variants.definition import EDGE, SHOWN


@dataclass(frozen=True, kw_only=True)
class VariantsConfig:
    """Settings of a set of variants.

    Attributes:
        seed: of all draws, 0 or more.
        variants: which are made, see `VARIANTS`.
        per_class: images of each class at most; None: as many as the smallest class has.
        taxonomy: "in9", "own" or a file, see `taxonomy_of`; None: in9 for ImageNet's 1000 classes, else own.
        boxes: folder of ImageNet's annotations; None: the boxes are the tight boxes of the masks.
        masks: "fornet" for those of the rows, or "grabcut" for GrabCut's from the boxes, as in the paper.
        other_class: `mixed_rand` never has the own class; else it is one of all, as in the paper.
        size: side of the images, pixels, 1 to 256; None: 224 for validation, 256 for training.
        quality: of the JPEG files, 1 to 95; 75 is Pillow's default, which the authors' code uses.

    Raises:
        ConfigurationError: a value is not allowed.
    """

    seed: int = 0
    variants: tuple[str, ...] = OFFICIAL
    per_class: int | None = None
    taxonomy: str | Path | None = None
    boxes: Path | None = None
    masks: str = "fornet"
    other_class: bool = False
    size: int | None = None
    quality: int = 75

    def __post_init__(self) -> None:
        object.__setattr__(self, "variants", tuple(dict.fromkeys(self.variants)))
        checks = (
            ("seed", self.seed >= 0, "0 or more"),
            ("variants", bool(self.variants) and set(self.variants) <= set(VARIANTS), ", ".join(VARIANTS)),
            ("per_class", self.per_class is None or self.per_class >= 1, "1 or more"),
            ("masks", self.masks in {"fornet", "grabcut"}, "fornet, grabcut"),
            ("size", self.size is None or 1 <= self.size <= EDGE, f"1 to {EDGE}"),
            ("quality", 1 <= self.quality <= 95, "1 to 95"),
        )
        for name, fits, allowed in checks:
            if not fits:
                raise ConfigurationError(
                    explain(f"variants: {name} is not allowed", found=getattr(self, name), allowed=allowed)
                )
        if self.boxes is not None and not self.boxes.is_dir():
            raise ConfigurationError(explain("variants: boxes is no folder", found=self.boxes))

    def side(self, split: str) -> int:
        """Return the side of the images of a split, pixels."""
        return self.size or (EDGE if split == "train" else SHOWN)

    def rules(self) -> Mapping[str, list[str]]:
        """Return the reasons for leaving images out that apply, and those that do not."""
        rules = {
            eligibility.NO_CLASS: True,
            eligibility.NO_FOREGROUND: True,
            eligibility.NO_PLACE: True,
            **dict.fromkeys(eligibility.OF_ANNOTATIONS, self.boxes is not None),
            eligibility.TOO_LARGE: True,
            eligibility.CROPPED: True,
            eligibility.NO_BACKGROUND: True,
            eligibility.FAILED: self.masks == "grabcut",
        }
        return {
            "applied": [name for name, applies in rules.items() if applies],
            "not_applied": [name for name, applies in rules.items() if not applies],
        }

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object."""
        return {
            "seed": self.seed,
            "variants": list(self.variants),
            "per_class": self.per_class,
            "taxonomy": None if self.taxonomy is None else str(self.taxonomy),
            "boxes": None if self.boxes is None else str(self.boxes),
            "masks": self.masks,
            "other_class": self.other_class,
            "size": self.size,
            "quality": self.quality,
        }
