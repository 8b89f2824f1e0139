"""Settings of Attentive Eraser, which are known without torch."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require
from producers.diffusion.shapes import LATENT, working_shape

_MULTIPLE = 4 * LATENT  # the coarsest tokens are 4 x 4 values


@dataclass(frozen=True, kw_only=True)
class EraserSettings:
    """The published values, but for the shape of the working image.

    Attributes:
        side: longer side in pixels at which it works; the shorter one follows, both rounded to multiples of 32.
        steps: of the scheduler.
        strength: part of them which is run, 0 to 1.
        guidance: weight of the removal, above 1: at 1 and below the pipeline leaves out the half that removes.
        suppressed_steps: the last step, counted from 0 and included, in which similarity is suppressed.
        suppression: factor on the similarities of the object's tokens in those steps.
        feather: pixels inside of the hole over which the image fades into the infilling.
        seed: of the noise, which depends on nothing else but the image and its hole.
    """

    side: int = 1024
    steps: int = 50
    strength: float = 0.8
    guidance: float = 9.0
    suppressed_steps: int = 9
    suppression: float = 0.3
    feather: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("side", "steps"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.guidance > 1, "guidance", self.guidance, "above 1")
        for name in ("suppressed_steps", "suppression", "feather", "seed"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        require(0 < self.strength <= 1, "strength", self.strength, "above 0, up to 1")

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the working image."""
        return working_shape(height, width, side=self.side, multiple=_MULTIPLE)
