"""The images of one item, in all variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from fornet_hf.evaluation.models.preprocessing import Preprocessing, share
from fornet_hf.evaluation.stimuli.conditions import ORIGINAL
from fornet_hf.evaluation.variants import definition
from fornet_hf.evaluation.variants.definition import EDGE, Pixels
from fornet_hf.evaluation.variants.subjects import Subject
from fornet_hf.format.masks import Mask
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.pixels.compositing import compose
from fornet_hf.recombination.pixels.decoding import ImageLike, encoded, size_of
from fornet_hf.recombination.pixels.parts import Parts


def plain(subject: Subject, variant: str) -> Pixels:
    """Return an image of a variant that needs no other image, at its full size."""
    if variant == ORIGINAL:
        return subject.image
    if variant in {"only_bg_b", "only_bg_t"}:
        return {"only_bg_b": definition.only_bg_b, "only_bg_t": definition.only_bg_t}[variant](
            subject.image, subject.box
        )
    return {"only_fg": definition.only_fg, "no_fg": definition.no_fg}[variant](subject.image, subject.mask)


def mixed(subject: Subject, background: Subject, edge: int = EDGE) -> Pixels:
    """Return the object on the tiled background of another image: a square of side `edge`."""
    return definition.mixed(plain(subject, "only_fg"), plain(background, "only_bg_t"), edge)


def shown(pixels: Pixels | Mask, side: int) -> Pixels:
    """Return the square in the middle of an image, or of a mask (0 and 1), resized as all variants are."""
    return definition.cropped(definition.resized(pixels), side)


def infilled(row: Mapping[str, Any], side: int, background: Mapping[str, Any] | None = None) -> Image.Image:
    """Return a row's object at its own place and scale on the infilled background of another row.

    Args:
        row: of the object.
        side: of the image, pixels: of 256, as in the other variants.
        background: the other row; None: the row's own background without the object.
    """
    view = Preprocessing(size=side, crop=share(side, EDGE))
    parts = Parts.of(row)
    canvas = _background(row)
    behind = canvas if background is None else _background(background)
    place = {}
    if background is not None and parts.cutout is not None and parts.box is not None:
        place = parts.cutout.placed_at(parts.box[:2])
    composition = Composition(
        original=False,
        background=None,
        background_box=view.box(size_of(behind)),
        canvas=size_of(canvas),
        window=view.box(size_of(canvas)),
        output=(side, side),
        **place,
    )
    return compose(row, behind, composition).image


def _background(row: Mapping[str, Any]) -> ImageLike:
    image = encoded(row["background"])
    if image is None:  # such rows are left out before
        raise ValueError(f"{row['key']} has no background")
    return image
