"""Conditions: a row as it is, or recombined."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.recombination.draw.configuration import RecombinationConfig


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
    """

    where: str
    amount: float
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Manner in which a row is shown.

    Attributes:
        recombination: its parameters, in evaluation, without a crop; None: the original image. Conditions of one
            seed and `background_combination` show a row on the same background.
        seen: True: the background is first cut to the part that the classifier sees, so that a cell is one of what
            it sees; False: to the public order, in which the classifier's preprocessing comes last.
        whole: an object that cannot be shown at its full size is not shown.
        noise: on the original image.
    """

    recombination: RecombinationConfig | None = None
    seen: bool = False
    whole: bool = False
    noise: Noise | None = None
