"""Settings of the trained segmenter, which are known without its packages."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require
from producers.segment.networks.card import MAX_SIDE


@dataclass(frozen=True, kw_only=True)
class UNetSettings:
    """A way in which a trained segmenter makes masks.

    Attributes:
        side: shorter side that images are scaled to, pixels; None: that of its training.
        threshold: probability above which a pixel is the object, 0 to 1; None: the file's own.
        close: radius of the disc that gaps are closed by, pixels at that scale; 0: none are.
        fill: whether holes are filled.
        largest: whether the largest part alone is the object.
        least: smallest share of the image that counts as an object, 0 to 1.
    """

    side: int | None = None
    threshold: float | None = None
    close: int = 1
    fill: bool = True
    largest: bool = False
    least: float = 0.0005

    def __post_init__(self) -> None:
        require(self.side is None or 1 <= self.side <= MAX_SIDE, "side", self.side, f"1 to {MAX_SIDE}")
        fits = self.threshold is None or 0 < self.threshold < 1
        require(fits, "threshold", self.threshold, "above 0 and below 1")
        require(0 <= self.close <= 64, "close", self.close, "0 to 64")
        require(0 <= self.least < 1, "least", self.least, "0 to below 1")
