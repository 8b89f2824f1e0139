"""Settings of SAM 3, which are known without its packages."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require


@dataclass(frozen=True, kw_only=True)
class Sam3Settings:
    """A way in which SAM 3 makes masks.

    Attributes:
        threshold: confidence above which an object counts, 0 to 1.
    """

    threshold: float = 0.5

    def __post_init__(self) -> None:
        require(0 <= self.threshold < 1, "threshold", self.threshold, "0 to below 1")
