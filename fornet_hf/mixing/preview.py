"""Sheets and animations of mixed pairs: see what a method of mixing makes of images, before training on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from fornet_hf.mixing.arrays import mixed_arrays
from fornet_hf.mixing.draws import draw
from fornet_hf.mixing.methods import VISIBLE, MixConfig
from fornet_hf.preview import Group, Line, chosen_rows, name_of, recombined, said, sheet
from fornet_hf.recombination.draw.configuration import differences
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.pixels.compositing import Composed

_OWN, _OTHER = (0, 114, 178), (230, 159, 0)  # blue and orange, which all eyes tell apart
_DEFAULTS = {"crop": 224, "seed": 0}
_FRAME = (112, 112, 112)
_HEADINGS = ("image a", "image b", "mask: white is a, black b", "mixture")
_LEGEND = "blue and orange: the objects of a and b, where they are seen; "


def mixed_sheet(
    ds: Any, configs: Sequence[MixConfig], *, indices: Sequence[int] | None = None, epochs: int = 1, **parameters: Any
) -> Image.Image:
    """Draw one line for each image and epoch: the image, its partner, the mask, and the mixture with its labels.

    Where a method looks at the objects, the mask has that of the image in blue and that of its partner in orange, as
    far as they are seen.

    Args:
        ds: a prepared dataset; a transform on it is ignored.
        configs: the methods of mixing, which alternate from line to line.
        indices: which rows; default: the first 6. Each is mixed with the next one.
        epochs: how many mixtures of each, 1 or more.
        parameters: of `Recombine`; `crop` is 224 and `seed` 0 if not given. The seed is that of mixing, too.

    Raises:
        ConfigurationError: a parameter is not allowed.
        IndexError: there is no such row.
    """
    lines = [line for page in _pages(ds, configs, indices, epochs, parameters) for line in page]
    return sheet([Group("", _HEADINGS)], lines, caption=_caption(configs, parameters))


def mixed_animation(
    ds: Any, configs: Sequence[MixConfig], *, indices: Sequence[int] | None = None, epochs: int = 8, **parameters: Any
) -> list[Image.Image]:
    """Draw one frame for each epoch: the lines of `mixed_sheet`, drawn anew; args and errors as there."""
    caption = _caption(configs, parameters)
    return [
        sheet([Group(f"epoch {epoch}", _HEADINGS)], lines, caption=caption)
        for epoch, lines in enumerate(_pages(ds, configs, indices, epochs, parameters))
    ]


def _pages(
    ds: Any, configs: Sequence[MixConfig], indices: Sequence[int] | None, epochs: int, parameters: Mapping[str, Any]
) -> Iterator[list[Line]]:
    """Yield the lines of each epoch."""
    rows = chosen_rows(ds, indices)
    names = [name_of(ds, row) for row in rows.values()]
    parameters = {**_DEFAULTS, **parameters}
    for epoch, composed in enumerate(recombined(ds, rows, epochs, {**parameters, "return_fg_masks": True})):
        lines = []
        for number, one in enumerate(composed):
            other = (number + 1) % len(composed)
            config = configs[(number + epoch) % len(configs)]
            rng = generator("preview", parameters["seed"], epoch, number)
            line = _line(config, rng, (one, composed[other]), (names[number], names[other]))
            lines.append(replace(line, label=f"{config.method}\n\n{line.label}") if len(configs) > 1 else line)
        yield lines


def _line(
    config: MixConfig, rng: np.random.Generator, pair: tuple[Composed, Composed], names: tuple[str, str]
) -> Line:
    """Return the line of the first of two images."""
    images = np.stack([np.asarray(one.image) for one in pair])
    masks = np.stack([np.asarray(one.mask or Image.new("L", one.image.size)) for one in pair])
    mix = replace(draw(config, rng, 2, images.shape[1:3]), partner=(1, 0))
    mixed = mixed_arrays(mix, config, images, masks)
    shares = dict.fromkeys(names, 0.0)
    for name, share in zip(names, (mixed.lam[0], 1 - mixed.lam[0]), strict=True):
        shares[name] += float(share)
    label = "\n".join(f"{name} {share:.0%}" for name, share in shares.items() if round(share, 2))
    if config.labels == VISIBLE:
        label += f"\n\nby area {mix.shares[0]:.0%} : {1 - mix.shares[0]:.0%}"
    seen = _shown(mixed.weights[0], masks if config.needs_masks else np.zeros_like(masks))
    return Line(label, [pair[0].image, pair[1].image, seen, Image.fromarray(mixed.images[0])])


def _shown(weights: npt.NDArray[np.float32], masks: npt.NDArray[np.uint8]) -> Image.Image:
    """Return weights as grey levels, and the two objects in colours where they are seen."""
    levels = np.repeat(255 * weights[..., None], 3, axis=2)
    for colour, seen in ((_OWN, weights * masks[0]), (_OTHER, (1 - weights) * masks[1])):
        levels += seen[..., None] / 255 * (np.array(colour) - levels)
    frame = ImageOps.crop(Image.fromarray(levels.round().astype(np.uint8)), 1)
    return ImageOps.expand(frame, 1, _FRAME)


def _caption(configs: Sequence[MixConfig], parameters: Mapping[str, Any]) -> str:
    legend = _LEGEND if any(one.needs_masks for one in configs) else ""
    methods = [f"{type(one).__name__.removesuffix('Config')}({', '.join(differences(one))})" for one in configs]
    return legend + "; ".join([*methods, said({**_DEFAULTS, **parameters})])
