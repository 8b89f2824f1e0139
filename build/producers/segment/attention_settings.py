"""Settings of the segmenter by cross-attention, which are known without torch."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import require
from producers.diffusion.steps import lowest


@dataclass(frozen=True, kw_only=True)
class AttentionSettings:
    """The published values.

    Attributes:
        prompt: that the network sees, with `{}` where the object's name goes.
        tokens: words of that prompt, or numbers of its tokens (0 begins it), whose maps are summed; by default the
            object's name. "a photo of a {} with arms and legs" may go with "human,arms,legs".
        parents: whether what an object is a kind of is another object to look for.
        steps: noisings of each image, those with the least noise of `grid`.
        grid: evenly spaced timesteps of DDIM.
        repeats: noisings at each of these steps.
        layers: those whose maps count, by the side of their maps (64, 32, 16 and 8 at 512 pixels) or the beginning of
            their names (up_blocks.1); by default all.
        side: of the square on which images lie, pixels, a multiple of 64.
        enlarge: whether an image smaller than that is enlarged to fill it.
        seed: of the noise, which depends on nothing else but the image's key and the step.
    """

    prompt: str = "a photo of a {}"
    tokens: tuple[str, ...] = ()
    parents: bool = False
    steps: int = 40
    grid: int = 50
    repeats: int = 1
    layers: tuple[str, ...] = ()
    side: int = 512
    enlarge: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        named = "{}" in self.prompt or bool(self.tokens)
        require(named, "prompt", self.prompt, "a text with {} in it; or give tokens")
        require(self.repeats >= 1, "repeats", self.repeats, "1 or more")
        require(self.side >= 64 and self.side % 64 == 0, "side", self.side, "a multiple of 64")
        require(self.seed >= 0, "seed", self.seed, "0 or more")
        lowest(self.steps, self.grid)  # refuses those that are not there

    @property
    def timesteps(self) -> tuple[int, ...]:
        """The steps of diffusion whose noise the images get."""
        return lowest(self.steps, self.grid)

    def noted(self) -> dict[str, str | int | float]:
        """Return them as the manifest has them."""
        return {name: ",".join(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
