"""Settings of FLUX Fill, which are known without torch."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require
from producers.diffusion.shapes import working_shape

_MULTIPLE = 16  # a token stands for 2 x 2 latent values of 8 x 8 pixels


@dataclass(frozen=True, kw_only=True)
class FluxSettings:
    """The published values, and a prompt for what is behind an object.

    Attributes:
        prompt: of what to fill holes with; it may be empty.
        side: longer side in pixels at which it works; the shorter one follows, both rounded to multiples of 16.
        steps: of the scheduler.
        guidance: weight of the prompt, which the network takes as a number.
        feather: pixels inside of the hole over which the image fades into the infilling.
        seed: of the noise, which depends on nothing else but the image and its hole.
    """

    prompt: str = "background, empty scene"
    side: int = 1024
    steps: int = 50
    guidance: float = 30.0
    feather: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("side", "steps"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        for name in ("guidance", "feather", "seed"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the working image."""
        return working_shape(height, width, side=self.side, multiple=_MULTIPLE)
