"""Pixels of all conditions of one item: what several conditions share is decoded, scaled and pasted only once.

Conditions that show the same canvas share the view of it; each adds a patch, and only the pixels of the view that
the patch reaches are made anew (`Frame.tile`). The result is that of composing the canvas at its full size and then
preparing it for the classifier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.frame import Frame
from fornet_hf.evaluation.stimuli.planning import Plan
from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.composition import Bounds, Composition
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.pixels.compositing import Composed, original, original_mask
from fornet_hf.recombination.pixels.decoding import ImageLike, Region, decode_region
from fornet_hf.recombination.pixels.parts import Parts
from fornet_hf.recombination.pixels.placing import Place
from fornet_hf.recombination.pixels.quads import image_of


class Patch(NamedTuple):
    """Pixels that are pasted on a canvas.

    Attributes:
        colours: RGB.
        mask: L, of the same size.
        corner: the upper left one's place on the canvas, pixels; it may lie beyond.
    """

    colours: Image.Image
    mask: Image.Image
    corner: tuple[int, int]

    @property
    def box(self) -> Box:
        """Its place on the canvas."""
        return *self.corner, self.corner[0] + self.colours.width, self.corner[1] + self.colours.height

    def paste(self, canvas: Image.Image, at: tuple[int, int] = (0, 0)) -> None:
        """Paste it on the part of a canvas whose upper left corner is `at`."""
        canvas.paste(self.colours, (self.corner[0] - at[0], self.corner[1] - at[1]), self.mask)


class Renderer:
    """Makes the images of one item.

    Args:
        parts: of its row.
        read: returns a background of the pool by its row.
        names: key the item's noise.
    """

    def __init__(self, parts: Parts, read: Callable[[int], ImageLike], names: tuple[object, ...]) -> None:
        self._parts, self._read, self._names = parts, read, names
        if parts.cutout is not None:
            parts.cutout.keep_decoded()
        self._pasted: dict[tuple[Bounds, tuple[int, int], tuple[float, float]], tuple[Image.Image, Image.Image]] = {}
        self._regions: dict[tuple[bool, int | None], Region] = {}
        self._noises: dict[int, dict[str, npt.NDArray[np.float32]]] = {}

    def views(self, plans: Mapping[int, Plan], preprocessing: Preprocessing) -> dict[int, npt.NDArray[np.uint8]]:
        """Return what the classifier sees (uint8, 3 x size x size) of each plan, by the plans' numbers."""
        sharing: dict[tuple[bool, int | None, Box | None], list[int]] = defaultdict(list)
        for number, plan in plans.items():
            sharing[plan.composition.original, plan.composition.background, plan.part].append(number)
        views = {}
        for numbers in sharing.values():
            views.update(self._views({number: plans[number] for number in numbers}, preprocessing))
        return {number: views[number] for number in plans}

    def composed(self, plan: Plan) -> Composed:
        """Return the canvas at its full size with the object on it, without noise; and the object's mask on it."""
        image = self._canvas(plan, (0, 0, *plan.composition.canvas))
        if plan.composition.original:
            return Composed(image, self._original_mask(plan))
        mask = Image.new("L", image.size)
        patch = self._patch(plan)
        if patch is not None:
            patch.paste(image)
            mask.paste(patch.mask, patch.corner)
        return Composed(image, mask)

    def _views(self, plans: Mapping[int, Plan], preprocessing: Preprocessing) -> dict[int, npt.NDArray[np.uint8]]:
        """Return the views of plans that show one canvas."""
        first, *others = plans.values()
        size, part, views = first.size, first.part, {}
        frame = Frame.of(preprocessing, size) if part is None else Frame.of_part(preprocessing, size, part)
        canvas = self._canvas(first, frame.reads)
        if not others and (patch := self._patch(first)):  # it belongs to the canvas: no pixel is made twice
            patch.paste(canvas)
        base = frame.view(canvas)
        for number, plan in plans.items():
            patch = self._patch(plan) if others else None
            tile = patch and frame.tile(patch.box)
            views[number] = self._noisy(base, plan, frame) if plan.noise else base.copy()
            if patch and tile:
                image = canvas.crop(tile.box)
                patch.paste(image, tile.box[:2])
                tile.draw(image, views[number])
        return views

    def _noisy(self, view: npt.NDArray[np.uint8], plan: Plan, frame: Frame) -> npt.NDArray[np.uint8]:
        """Return the view of the original image with the plan's noise, which all plans of one seed share."""
        noise = plan.noise
        if noise is None:
            return view
        if noise.seed not in self._noises:
            shares = frame.view(self._original_mask(plan))[0].astype(np.float32) / 255
            drawn = generator("noise", noise.seed, *self._names).standard_normal(view.shape, np.float32)
            self._noises[noise.seed] = {"foreground": drawn * shares, "background": drawn * (1 - shares)}
        result = self._noises[noise.seed][noise.where] * np.float32(noise.amount)
        result += view
        noisy: npt.NDArray[np.uint8] = np.rint(result, out=result).clip(0, 255, out=result).astype(np.uint8)
        return noisy

    def _original_mask(self, plan: Plan) -> Image.Image:
        """Return the object's mask on the original image, L."""
        return original_mask(self._parts, plan.composition) or Image.new("L", plan.size)

    def _canvas(self, plan: Plan, needed: Box) -> Image.Image:
        """Return the canvas without the patch (RGB); beyond the `needed` pixels it may have any."""
        composition, part = plan.composition, plan.part or (0, 0, *plan.size)
        left, top = part[:2]
        box = needed[0] + left, needed[1] + top, needed[2] + left, needed[3] + top
        source = composition.original, composition.background
        region = self._regions.get(source)
        if region is None or not _covers(region.box, box):
            self._regions[source] = region = decode_region(self._image(composition), box, 1, 0)
        x, y = left - region.box[0], top - region.box[1]
        return image_of(region.quads).crop((x, y, x + composition.canvas[0], y + composition.canvas[1]))

    def _image(self, composition: Composition) -> ImageLike:
        """Return the original image, or the whole background."""
        if composition.original:
            return original(self._parts)
        image = self._parts.background if composition.background is None else self._read(composition.background)
        if image is None:
            raise ConfigurationError("the row has no background")
        return image

    def _patch(self, plan: Plan) -> Patch | None:
        """Return the object; None if the original image is shown, or nothing of the object."""
        place = Place.of(plan.composition, self._parts.cutout)
        if place is None or self._parts.cutout is None:
            return None
        pixels = place.source, place.size, place.radius
        if pixels not in self._pasted:
            self._pasted[pixels] = place.filled(self._parts.cutout)
        return Patch(*self._pasted[pixels], place.box[:2])


def _covers(box: Box, other: Box) -> bool:
    return box[0] <= other[0] and box[1] <= other[1] and box[2] >= other[2] and box[3] >= other[3]
