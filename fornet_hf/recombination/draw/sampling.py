"""Draw the recipe of one image. Numbers only; no pixels are touched.

The steps are those of the paper. Each draw has its fixed place in the example's stream of uniform numbers, so that
changing one parameter (say, the kind of background) leaves the other draws as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.composition import Bounds, Composition, Size
from fornet_hf.recombination.draw.configuration import BILINEAR, CropConfig, RecombinationConfig


@dataclass(frozen=True)
class ForegroundShape:
    """Size and areas of a foreground, which is all that sampling must know.

    Attributes:
        width: of the tight box around the object, pixels.
        height: of the tight box, pixels.
        coverage: mean of the mask over the tight box, above 0 to 1.
        ratio: area of the object / area of the image that it came from, 0 to 1.
    """

    width: int
    height: int
    coverage: float
    ratio: float


@dataclass(frozen=True)
class BackgroundShape:
    """Size and area of a background, which is all that sampling must know.

    Attributes:
        row: row in the pool; None: the own background of the row that is recombined.
        width: pixels.
        height: pixels.
        ratio: area of the object that was removed from it / its area, 0 to 1.
    """

    row: int | None
    width: int
    height: int
    ratio: float


class Backgrounds(Protocol):
    """Pool that backgrounds are chosen from."""

    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """Return the background at the share `chance` (0 to below 1) of those of class `label`; None: of all."""


def draw(
    rng: np.random.Generator,
    config: RecombinationConfig,
    *,
    label: int,
    foreground: ForegroundShape | None,
    own: BackgroundShape | None,
    backgrounds: Backgrounds,
    original_probability: float = 0.0,
) -> Composition:
    """Draw one composition.

    Args:
        rng: the example's generator.
        config: the parameters.
        label: class of the row.
        foreground: None for a row without one: its own background is shown as it is.
        own: the row's own background; None for a row without one, which is then never shown as original, and has
            a background of its class where `background_combination` is "orig".
        backgrounds: the pool.
        original_probability: of showing the original image, 0 to 1.
    """
    choice = choose(
        lambda count: rng.random(count).tolist(),
        config,
        label=label,
        foreground=foreground,
        own=None if own is None else lambda: own,
        backgrounds=backgrounds,
        original_probability=original_probability,
    )
    return arrange(config, choice, foreground)


class Choice(NamedTuple):
    """The first half of a draw: the background, on whose size the second half depends.

    Attributes:
        background: the one that is shown.
        original: the original image is shown.
        chances: the example's uniform numbers.
    """

    background: BackgroundShape
    original: bool
    chances: _Chances


def choose(
    uniforms: Callable[[int], list[float]],
    config: RecombinationConfig,
    *,
    label: int,
    foreground: ForegroundShape | None,
    own: Callable[[], BackgroundShape] | None,
    backgrounds: Backgrounds,
    original_probability: float,
) -> Choice:
    """Choose the background; `uniforms` gives all numbers, `own` is called only if it is that one. See `draw`."""
    chance = _Chances(uniforms(_FIXED + 2 * abs(config.fg_bates_n)))
    original = own is not None and foreground is not None and chance.original < original_probability
    if own is not None and (original or foreground is None or config.background_combination == "orig"):
        return Choice(own(), original, chance)
    wanted = None if config.background_combination == "all" else label
    return Choice(backgrounds.pick(chance.background, wanted), original, chance)


def arrange(config: RecombinationConfig, choice: Choice, foreground: ForegroundShape | None) -> Composition:
    """Return the composition on the chosen background. See `draw`."""
    frame = _frame(config, choice)
    if choice.original or foreground is None or foreground.coverage <= 0:
        return frame
    return _place(config, frame, foreground, choice.background.ratio, choice.chances)


_TRIES = 10  # of torchvision's RandomResizedCrop
_FIXED = 9 + 2 * _TRIES


class _Chances:
    """The uniform numbers of one example, by their purpose."""

    def __init__(self, numbers: list[float]) -> None:
        self.original, self.background, self.size, self.edge, self.flip = numbers[:5]
        self.part, self.window = numbers[5:7], numbers[7:9]
        self.tries = list(zip(numbers[9:_FIXED:2], numbers[10:_FIXED:2], strict=True))
        middle = (_FIXED + len(numbers)) // 2
        self.x, self.y = numbers[_FIXED:middle], numbers[middle:]


def _frame(config: RecombinationConfig, choice: Choice) -> Composition:
    """Return the composition without a foreground: background, window and flip."""
    background, original, chance = choice
    canvas = background.width, background.height
    box: Bounds = (0, 0, *canvas)
    output, interpolation = canvas, BILINEAR
    if config.crop is not None:
        box = _centre_crop(config.crop, canvas) if config.evaluation else _random_crop(config.crop, canvas, chance)
        output, interpolation = config.crop.output, config.crop.interpolation
    canvas, window = (canvas, box) if config.paste_pre_transform else (output, (0, 0, *output))
    return Composition(
        original=original,
        background=background.row,
        background_box=box,
        canvas=canvas,
        window=window,
        output=output,
        interpolation=interpolation,
        paste_first=bool(config.evaluation) and config.paste_pre_transform and config.crop is not None,
        flip=not config.evaluation and chance.flip < config.flip,
    )


def _random_crop(crop: CropConfig, canvas: Size, chance: _Chances) -> Box:
    """Draw as torchvision's RandomResizedCrop: ten tries, then the largest centred crop of an allowed ratio."""
    low, high = math.log(crop.ratio[0]), math.log(crop.ratio[1])
    for share, skew in chance.tries:
        area = canvas[0] * canvas[1] * _between(crop.scale[0], crop.scale[1], share)
        ratio = math.exp(_between(low, high, skew))
        width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < width <= canvas[0] and 0 < height <= canvas[1]:
            left = int(chance.window[0] * (canvas[0] - width + 1))
            top = int(chance.window[1] * (canvas[1] - height + 1))
            return left, top, left + width, top + height
    ratio = min(max(canvas[0] / canvas[1], crop.ratio[0]), crop.ratio[1])
    return _centred((min(canvas[0], canvas[1] * ratio), min(canvas[1], canvas[0] / ratio)), canvas)


def _centre_crop(crop: CropConfig, canvas: Size) -> Bounds:
    """Return the box that torchvision's Resize(size / centre) and CenterCrop(size) show, rounded as there.

    Of an output that is no square, the canvas is resized to cover both sides / centre.
    """
    least = [math.floor(side / crop.centre + 1e-9) for side in crop.output]
    if least[0] * canvas[1] >= least[1] * canvas[0]:
        resized = least[0], least[0] * canvas[1] // canvas[0]
    else:
        resized = least[1] * canvas[0] // canvas[1], least[1]
    left, top = (round((side - shown) / 2) for side, shown in zip(resized, crop.output, strict=True))
    x, y = canvas[0] / resized[0], canvas[1] / resized[1]
    return left * x, top * y, (left + crop.output[0]) * x, (top + crop.output[1]) * y


def _centred(size: tuple[float, float], canvas: Size) -> Box:
    width, height = (max(1, round(side)) for side in size)
    left, top = (canvas[0] - width) // 2, (canvas[1] - height) // 2
    return left, top, left + width, top + height


def _place(
    config: RecombinationConfig,
    frame: Composition,
    foreground: ForegroundShape,
    background_ratio: float,
    chance: _Chances,
) -> Composition:
    """Return the composition with the foreground's size, part, offset and edge added."""
    size = _scaled_size(config, frame.canvas, foreground, background_ratio, chance.size)
    part = tuple(min(side, room) for side, room in zip(size, frame.canvas, strict=True))
    cell: Box | None = None
    fitted = 1.0
    if config.fg_in_nonant is not None and config.fg_in_nonant >= 0:
        cell, wanted = nonant(config.fg_in_nonant, frame.canvas), size
        size = part = _shrunk(size, (cell[2] - cell[0], cell[3] - cell[1]))
        fitted = size[0] * size[1] / (wanted[0] * wanted[1])
    chances = (0.5, 0.5) if config.evaluation else chance.part
    start = tuple(int(c * (side - kept + 1)) for c, side, kept in zip(chances, size, part, strict=True))
    x, y = (
        _offset(config, bates(numbers, config.fg_bates_n), part[axis], frame.canvas[axis], cell and cell[axis::2])
        for axis, numbers in enumerate((chance.x, chance.y))
    )
    return replace(
        frame,
        size=size,
        part=(start[0], start[1], start[0] + part[0], start[1] + part[1]),
        offset=(x, y),
        fitted=fitted,
        sigma=_between(0.1, 1.0, chance.edge) * config.mask_smoothing_sigma,
    )


def _scaled_size(
    config: RecombinationConfig,
    canvas: Size,
    foreground: ForegroundShape,
    background_ratio: float,
    chance: float,
) -> Size:
    """Return width and height of the whole foreground, 1 or more. The goal is the object's area, not its box's."""
    area = canvas[0] * canvas[1] / (1 if config.fg_in_nonant is None else 9)
    low, high = sorted((foreground.ratio, background_ratio))
    if config.fg_size_mode != "range":
        low = high = {"min": low, "max": high, "mean": (low + high) / 2}[config.fg_size_mode]
    below, above = config.jitter
    goal = _between(low * (1 - below), high * (1 + above), chance)
    box_area = area * goal / foreground.coverage * config.fg_size_fact
    ratio = foreground.width / foreground.height
    return max(1, round(math.sqrt(box_area * ratio))), max(1, round(math.sqrt(box_area / ratio)))


def nonant(cell: int, canvas: Size) -> Box:
    """Return the whole pixels of cell 0 to 8 (reading order) of a 3 x 3 grid; at least one pixel.

    A canvas of fewer than 3 pixels on a side has cells without a whole pixel; they get the nearest one.
    """
    bounds = []
    for index, side in zip((cell % 3, cell // 3), canvas, strict=True):
        start = min(-(-index * side // 3), side - 1)
        bounds.append((start, max((index + 1) * side // 3, start + 1)))
    (x0, x1), (y0, y1) = bounds
    return x0, y0, x1, y1


def _shrunk(size: Size, room: Size) -> Size:
    """Return the largest size of the same proportions that fits into `room`, at least 1 pixel on a side."""
    factor = min(1.0, room[0] / size[0], room[1] / size[1])
    return max(1, min(room[0], round(size[0] * factor))), max(1, min(room[1], round(size[1] * factor)))


def bates(numbers: list[float], order: int) -> float:
    """Return a position from 0 to 1: the mean of |order| uniform numbers; below 0 moved by a half, cyclically."""
    if order == 0:
        return 0.5
    mean = sum(numbers) / len(numbers)
    if order > 0:
        return mean
    return mean + 0.5 - math.floor(mean + 0.5)


def _offset(config: RecombinationConfig, position: float, side: int, room: int, cell: tuple[int, ...] | None) -> int:
    if cell is not None:
        return round(_between(cell[0], cell[1] - side, position))
    jut = config.rel_jut_out * side
    return round(_between(-jut, room - side + jut, position))


def _between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share
