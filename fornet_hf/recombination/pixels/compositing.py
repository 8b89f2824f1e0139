"""Pixels from a composition. Nothing is drawn here.

One path serves both uses: without a crop the window is the whole canvas at scale 1; with a crop, only what lies
in the window is decoded and scaled, straight to the output's size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format import jpeg
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.rows import Row
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import BILINEAR
from fornet_hf.recombination.pixels.cutout import Cutout
from fornet_hf.recombination.pixels.decoding import ImageLike, decoded, part_for, size_of
from fornet_hf.recombination.pixels.feather import feathered
from fornet_hf.recombination.pixels.parts import Parts, with_digests
from fornet_hf.recombination.pixels.placing import Place
from fornet_hf.recombination.pixels.quads import fourth, image_of
from fornet_hf.recombination.pixels.scaling import SUPPORT, resampled, scaled_along
from fornet_hf.recombination.pixels.steps import Steps, finished


class Composed(NamedTuple):
    """A recombined image.

    Attributes:
        image: RGB.
        mask: mode L, of the same size: what was pasted. None if not asked for.
    """

    image: Image.Image
    mask: Image.Image | None


def compose(
    row: Row | Mapping[str, Any],
    background: ImageLike | None,
    composition: Composition,
    *,
    foreground: Image.Image | None = None,
) -> Composed:
    """Replay a composition: the same pixels, or an error. The user's `transform`, which comes after, is left out.

    Args:
        row: the row whose foreground is shown, as the dataset gives it without a transform.
        background: bytes or image of the background; None: the row's own. With `paste_pre_transform=False` and a
            crop or resize in `transform`: what that left of it, an image.
        composition: what was drawn for that row.
        foreground: what `foreground_transform` returned for it, RGBA; None: the row's own.

    Raises:
        ConfigurationError: a part that the composition shows is missing, or another one.
    """
    columns = asdict(row) if isinstance(row, Row) else row
    parts = Parts.of(columns)
    if background is not None:
        parts = parts._replace(background=background)
    elif composition.background is not None and composition.background_key != columns["key"]:
        name = composition.background_key or f"row {composition.background} of the pool"
        then = "Give its bytes: recombine.pool.read(composition.background)."
        raise ConfigurationError(explain("the composition shows another row's background", found=name, then=then))
    if foreground is not None and composition.size is not None:
        parts = parts._replace(cutout=Cutout.of_rgba(foreground, columns["foreground_ratio"]))
    made = foreground is not None, isinstance(background, Image.Image) and composition.background_digest is not None
    _check_made(parts, composition, *made)
    return finished(rendering(parts, composition, with_mask=True))


def _check_made(parts: Parts, composition: Composition, foreground: bool, background: bool) -> None:  # noqa: FBT001
    found = with_digests(composition, parts, foreground=foreground, background=background)
    if found.foreground_digest != composition.foreground_digest:
        what, then = (
            "this is not the foreground of the composition",
            "Give foreground=, as the row was shown with it.",
        )
        allowed = "what foreground_transform returned" if composition.foreground_digest else "the row's own"
        raise ConfigurationError(explain(what, allowed=allowed, then=then))
    box, canvas = composition.background_box, parts.background
    if found.background_digest != composition.background_digest or (
        canvas is not None and any(a > b for a, b in zip(box[2:], size_of(canvas), strict=True))
    ):
        what, then = "this is not the background of the composition", "Give background=, as it was pasted on."
        allowed = "what the crop in transform returned" if composition.background_digest else f"one with {box}"
        raise ConfigurationError(explain(what, allowed=allowed, then=then))


def rendering(parts: Parts, composition: Composition, *, with_mask: bool) -> Steps[Composed]:
    """Make the image, and on request the mask. `parts.background` is the background that the composition names.

    Raises:
        ConfigurationError: a part that the composition shows is missing.
    """
    if parts.background is None or (parts.cutout is None and (composition.size or composition.original)):
        raise ConfigurationError(
            explain(
                "the row lacks a part that this composition shows", found=composition, allowed="a row which has it"
            )
        )
    if composition.paste_first:
        return (yield from _scaled_afterwards(parts, composition, with_mask=with_mask))
    box, output, interpolation = composition.background_box, composition.output, composition.interpolation
    part = part_for(original(parts) if composition.original else parts.background, box, output, interpolation)
    place = None if composition.original else Place.of(composition, parts.cutout)
    seeing = None
    if place is not None and parts.cutout is not None:
        seeing = parts.cutout.seeing(place.source, place.size, interpolation)
    yield
    region, seen = part.decoded(), seeing and seeing()
    yield
    image = image_of(region.scaled(box, output, interpolation)).copy()
    if composition.original:
        return _flipped(image, original_mask(parts, composition) if with_mask else None, composition)
    mask = Image.new("L", output) if with_mask else None
    if place is not None and seen is not None:
        quads = scaled_along(*seen)
        levels = fourth(quads)
        yield
        alpha = feathered(levels, place.radius)
        yield
        image.paste(image_of(quads), place.box[:2], alpha)  # Pillow clips what lies beyond the image
        if mask is not None:
            mask.paste(alpha, place.box[:2])
    return _flipped(image, mask, composition)


def _scaled_afterwards(parts: Parts, composition: Composition, *, with_mask: bool) -> Steps[Composed]:
    """Paste at the canvas's scale what shows in the window, then scale it as torchvision scales the whole canvas."""
    window, output, interpolation = composition.window, composition.output, composition.interpolation
    scale = max((window[2] - window[0]) / output[0], (window[3] - window[1]) / output[1])
    margin = 1 + math.ceil(SUPPORT[interpolation] * max(1.0, scale))
    left, top = (max(0, math.floor(edge) - margin) for edge in window[:2])
    right, bottom = (
        min(side, math.ceil(edge) + margin) for edge, side in zip(window[2:], composition.canvas, strict=True)
    )
    seen, size = (left, top, right, bottom), (right - left, bottom - top)
    unscaled = replace(composition, background_box=seen, window=seen, output=size, interpolation=BILINEAR)
    unscaled = replace(unscaled, paste_first=False, flip=False)
    image, mask = yield from rendering(parts, unscaled, with_mask=with_mask)
    yield
    inner = window[0] - left, window[1] - top, window[2] - left, window[3] - top
    image = resampled(image, inner, output, interpolation)
    mask = None if mask is None else resampled(mask, inner, output, interpolation)
    return _flipped(image, mask, composition)


def original_mask(parts: Parts, composition: Composition) -> Image.Image | None:
    """Return the object's mask (L) on the output of a composition of the original image; None: there is none."""
    if parts.cutout is None or parts.box is None:
        return None
    mask = Image.new("L", composition.output)
    place = place_in_original(parts, composition)
    if place is not None:
        levels = parts.cutout.mask(place.source, place.size, composition.interpolation)
        mask.paste(feathered(levels, place.radius), place.box[:2])
    return mask


def place_in_original(parts: Parts, composition: Composition) -> Place | None:
    """Return the place of the object on the output of a composition of the original image; None: nothing shows."""
    if parts.cutout is None or parts.box is None:
        return None
    where = parts.cutout.placed_at(parts.box[:2])
    return Place.of(replace(composition, window=composition.background_box, **where), parts.cutout)


def original(parts: Parts) -> ImageLike:
    """Return the image before it was taken apart: the foreground's crop covers all that was infilled.

    Raises:
        ConfigurationError: a part is missing.
    """
    background, foreground, box = parts.background, parts.foreground, parts.box
    if background is None or foreground is None or box is None:
        raise ConfigurationError("the original image needs foreground, box and background of its row")
    if isinstance(background, bytes) and isinstance(foreground, bytes):
        size = jpeg.size_of(background)
        if size is not None and jpeg.size_of(foreground) is not None and box[0] % jpeg.MCU == box[1] % jpeg.MCU == 0:
            return jpeg.splice(background, foreground, Rectangle.around(box, size))
    whole = decoded(background).copy()
    whole.paste(decoded(foreground), box[:2])
    return whole


def _flipped(image: Image.Image, mask: Image.Image | None, composition: Composition) -> Composed:
    if not composition.flip:
        return Composed(image, mask)
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    return Composed(image.transpose(mirror), None if mask is None else mask.transpose(mirror))
