"""Recombination as its definition says, in the plainest NumPy and Pillow: the yardstick for the library.

Written from the definition alone and sharing no code with the library: an RGBA image of the object, cut to the
object's box, is resized, its alpha is feathered, and it is pasted on the background at full size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The parameters which move pixels, with the definition's defaults."""

    fg_scale_jitter: float | tuple[float, float] = 0.3
    fg_size_mode: str = "range"
    fg_bates_n: int = 1
    mask_smoothing_sigma: float = 4.0
    rel_jut_out: float = 0.0
    fg_in_nonant: int | None = None
    fg_size_fact: float = 1.0


@dataclass(frozen=True)
class Placement:
    """Where the object goes.

    Attributes:
        goal: area of the object as share of the background's, before the size is rounded.
        size: width and height of the object's box.
        crop: left and top of the part of it that is used, which is no larger than the background.
        offset: left and top of that part on the background.
        radius: of the blur of the edge, in pixels.
    """

    goal: float
    size: tuple[int, int]
    crop: tuple[int, int]
    offset: tuple[int, int]
    radius: float

    def visible(self, canvas: tuple[int, int]) -> tuple[int, int]:
        """Width and height of the part that is used."""
        return min(self.size[0], canvas[0]), min(self.size[1], canvas[1])


def tight(rgba: Image.Image) -> Image.Image:
    """The image cut to the box around its object."""
    return rgba.crop(rgba.getchannel("A").getbbox())


def goal_interval(r_fg: float, r_bg: float, parameters: Parameters) -> tuple[float, float]:
    """Step 2 and the jitter of step 3: between which shares of the background the object's area lies."""
    low, high = {
        "max": (max(r_fg, r_bg), max(r_fg, r_bg)),
        "min": (min(r_fg, r_bg), min(r_fg, r_bg)),
        "mean": ((r_fg + r_bg) / 2, (r_fg + r_bg) / 2),
        "range": (min(r_fg, r_bg), max(r_fg, r_bg)),
    }[parameters.fg_size_mode]
    jitter = parameters.fg_scale_jitter
    down, up = jitter if isinstance(jitter, tuple) else (jitter, jitter)
    return low * (1 - down), high * (1 + up)


def bates(n: int, rng: np.random.Generator) -> float:
    """Step 5: one coordinate in 0..1."""
    if n == 0:
        return 0.5
    z = float(np.mean([rng.uniform() for _ in range(abs(n))]))
    if n > 0:
        return z
    return z + 0.5 - math.floor(z + 0.5)


def place(
    foreground: Image.Image,
    canvas: tuple[int, int],
    ratios: tuple[float, float],
    parameters: Parameters,
    rng: np.random.Generator,
    *,
    training: bool = True,
) -> Placement:
    """Steps 1 to 6. `ratios` are those of the image of the foreground and of that of the background."""
    width, height = canvas
    nonant = parameters.fg_in_nonant
    alpha = float(np.mean(np.asarray(foreground.getchannel("A")) / 255))
    area = width * height / (1 if nonant is None else 9)
    share = rng.uniform(*goal_interval(*ratios, parameters)) * parameters.fg_size_fact
    w0, h0 = foreground.size
    h = max(1, round(math.sqrt(area * share / alpha * h0 / w0)))
    w = max(1, round(math.sqrt(area * share / alpha * w0 / h0)))
    spare = max(0, w - width), max(0, h - height)
    crop = [int(rng.integers(0, pixels + 1)) if training else pixels // 2 for pixels in spare]
    shown = min(w, width), min(h, height)
    offset = []
    for axis in (0, 1):
        low, high = _range(canvas[axis], shown[axis], axis, parameters)
        offset.append(round(bates(parameters.fg_bates_n, rng) * (high - low) + low))
    radius = rng.uniform(0.1, 1.0) * parameters.mask_smoothing_sigma
    goal = share * area / (width * height)
    return Placement(goal, (w, h), (crop[0], crop[1]), (offset[0], offset[1]), radius)


def _range(side: int, object_side: int, axis: int, parameters: Parameters) -> tuple[float, float]:
    nonant = parameters.fg_in_nonant
    if nonant is None or nonant == -1:
        jut = parameters.rel_jut_out
        low, high = -jut * object_side, side - object_side * (1 - jut)
    else:
        cell = nonant % 3 if axis == 0 else nonant // 3
        low, high = cell * side / 3, (cell + 1) * side / 3 - object_side
    if low > high:
        low = high = (low + high) / 2
    return low, high


def feather(alpha: Image.Image, radius: float) -> Image.Image:
    """Step 7: soften the edge inwards."""
    blurred = np.asarray(alpha.filter(ImageFilter.GaussianBlur(radius))).astype(int)
    return Image.fromarray(np.where(blurred > 128, 2 * blurred - 255, 0).clip(0, 255).astype(np.uint8))


def paste(foreground: Image.Image, background: Image.Image, placement: Placement) -> tuple[Image.Image, Image.Image]:
    """The image, and the mask that was pasted with, both of the background's size."""
    sized = foreground.resize(placement.size)
    left, top = placement.crop
    width, height = placement.visible(background.size)
    sized = sized.crop((left, top, left + width, top + height))
    mask = feather(sized.getchannel("A"), placement.radius)
    image = background.copy()
    image.paste(sized.convert("RGB"), placement.offset, mask)
    whole = Image.new("L", background.size)
    whole.paste(mask, placement.offset)
    return image, whole


def candidates(
    own: int, labels: Sequence[int], ratios: Sequence[float], *, combination: str, pruning_ratio: float
) -> list[int]:
    """Which rows' backgrounds the foreground of row `own` may get, each with equal probability."""
    if combination == "orig":
        return [own]
    everyone = range(len(labels))
    if combination == "all":
        return [i for i in everyone if ratios[i] < pruning_ratio]
    of_class = [i for i in everyone if labels[i] == labels[own]]
    return [i for i in of_class if ratios[i] < pruning_ratio] or of_class


def original_probability(schedule: float | str, epoch: int, epochs: int) -> float:
    """How probable it is that the original image is shown."""
    if isinstance(schedule, str):
        done = epoch / epochs
        return {"linear": done, "revlinear": 1 - done, "cos": 1 - math.cos(math.pi * done / 2)}[schedule]
    return schedule
