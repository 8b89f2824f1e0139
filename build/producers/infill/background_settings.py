"""Settings of infilling by diffusion, which are known without torch."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require


@dataclass(frozen=True, kw_only=True)
class BackgroundSettings:
    """The published values.

    Attributes:
        side: of the square canvas, pixels; the image's longer side fills it. A multiple of 64.
        steps: of DDIM.
        guidance: weight of the background's prompt against the object's; at 1 it is asked alone.
        prompt: of the background, guided away from the empty one; None: the one that the model was fine-tuned on.
        feather: pixels inside of the hole over which the image fades into the infilling.
        seed: of the noise, which depends on nothing else but the image and its hole.
    """

    side: int = 512
    steps: int = 50
    guidance: float = 1.0
    prompt: str | None = None
    feather: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.side >= 64 and self.side % 64 == 0, "side", self.side, "a multiple of 64")
        require(1 <= self.steps <= 500, "steps", self.steps, "1 to 500")
        for name in ("guidance", "feather", "seed"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
