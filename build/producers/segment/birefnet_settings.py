"""Settings of BiRefNet, which are known without its packages."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require


@dataclass(frozen=True, kw_only=True)
class BiRefNetSettings:
    """A way in which BiRefNet makes masks.

    Attributes:
        threshold: probability above which a pixel is the object, 0 to 1.
        least: smallest share of the image that counts as an object, 0 to 1.
    """

    threshold: float = 0.5
    least: float = 0.0005

    def __post_init__(self) -> None:
        require(0 < self.threshold < 1, "threshold", self.threshold, "above 0 and below 1")
        require(0 <= self.least < 1, "least", self.least, "0 to below 1")
