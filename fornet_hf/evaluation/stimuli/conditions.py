"""Conditions: a row as it is, or recombined."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.draw.configuration import RecombinationConfig

PARTS = ("foreground", "background")
ORIGINAL = "original"
"""Name of the condition, and of the variant of ImageNet-9, that shows the image as it is."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Noise in one part of the original image, as in RIVAL10.

    Gaussian noise of its own for each pixel and channel is added to the image as the classifier sees it, and the
    sum is clipped to what an image can show. Noise of one seed is the same in both parts and, its factor apart,
    for every amount.

    Attributes:
        where: "foreground" or "background".
        amount: standard deviation, in grey levels of 255.
        seed: of the noise, 0 or more.

    Raises:
        ConfigurationError: a value is not allowed.
    """

    where: str
    amount: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.where not in PARTS:
            raise ConfigurationError(explain("noise.where is not allowed", found=self.where, allowed=PARTS))
        if not 0 <= self.amount < math.inf:
            raise ConfigurationError(explain("noise.amount is not allowed", found=self.amount, allowed="0 or more"))


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Manner in which a row is shown.

    Attributes:
        recombination: its parameters, in evaluation, without a crop; None: the original image. Conditions of one
            seed and `background_combination` show a row on the same background.
        seen: True: the background is first cut to the part that the classifier sees, so that a cell is one of what
            it sees; False: to the public order, in which the classifier's preprocessing comes last.
        whole: an object that cannot be shown at its full size on its canvas is not shown. The canvas is the
            background, or with `seen` its part; in the public order the classifier may still see less of it.
        noise: on the original image.

    Raises:
        ConfigurationError: settings that exclude each other.
    """

    recombination: RecombinationConfig | None = None
    seen: bool = False
    whole: bool = False
    noise: Noise | None = None

    def __post_init__(self) -> None:
        config = self.recombination
        if config is None:
            fits, allowed = not (self.seen or self.whole), "neither seen nor whole"
        else:
            fits = self.noise is None and config.crop is None and config.paste_pre_transform
            allowed = "no noise, no crop, and paste_pre_transform"
        if not fits:
            what = "a condition of the original image" if config is None else "a condition that recombines"
            raise ConfigurationError(explain(f"{what} is not allowed", found=repr(self), allowed=allowed))
