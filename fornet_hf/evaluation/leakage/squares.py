"""Small squares around objects: the image, its infilled background and the object's area, all in one frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from fornet_hf.evaluation.leakage.fields import Area, Colours, grown
from fornet_hf.format.rows import open_image

SIDE = 64
"""Pixels of a square's side, a power of 2."""
INCOMPLETE, NO_RING = "no object, or no background", "no surroundings beside the object"
_MARGIN = 0.4  # of the object's longer side: what is shown around it, at least `_LEAST_MARGIN` pixels
_LEAST_MARGIN = 24
_NEAR = 2  # pixels of the square; what lies nearer to the object may have been infilled with it
_CHANGED = 3  # grey levels by which pixels differ that were infilled; untouched ones differ by rounding
_LEAST_RING = 0.02  # of the square


@dataclass(frozen=True, kw_only=True)
class Squares:
    """Images taken apart, small and in the frame of their objects.

    Attributes:
        keys: of the rows, n of them.
        labels: index of the class of each.
        sources: the images: uint8, n x SIDE x SIDE x 3.
        backgrounds: the same frame of the infilled backgrounds: likewise.
        masks: where the object is: bool, n x SIDE x SIDE.
        rings: the surroundings that infilling left as they were: likewise. No mask overlaps its ring.
    """

    keys: Sequence[str]
    labels: Sequence[int]
    sources: Colours
    backgrounds: Colours
    masks: Area
    rings: Area

    def __len__(self) -> int:
        return len(self.keys)

    def at(self, places: Sequence[int]) -> Squares:
        """Return some of them."""
        index = np.asarray(places, np.int64)
        return Squares(
            keys=[self.keys[place] for place in index],
            labels=[self.labels[place] for place in index],
            sources=self.sources[index],
            backgrounds=self.backgrounds[index],
            masks=self.masks[index],
            rings=self.rings[index],
        )

    @classmethod
    def of(
        cls, keys: Sequence[str], labels: Sequence[int], sources: Colours, backgrounds: Colours, masks: Area
    ) -> Squares:
        """Return the squares of these pixels; the rings follow from them."""
        changed = np.abs(sources.astype(np.int16) - backgrounds).max(axis=-1) >= _CHANGED
        rings = ~changed & ~grown(masks, _NEAR)
        return cls(keys=keys, labels=labels, sources=sources, backgrounds=backgrounds, masks=masks, rings=rings)

    @classmethod
    def joined(cls, parts: Iterable[Squares]) -> Squares:
        """Return all of several squares, in their order."""
        found = [_EMPTY, *parts]
        return cls(
            keys=[key for part in found for key in part.keys],
            labels=[label for part in found for label in part.labels],
            sources=np.concatenate([part.sources for part in found]),
            backgrounds=np.concatenate([part.backgrounds for part in found]),
            masks=np.concatenate([part.masks for part in found]),
            rings=np.concatenate([part.rings for part in found]),
        )


_NOTHING = np.zeros((0, SIDE, SIDE, 3), np.uint8)
_EMPTY = Squares.of([], [], _NOTHING, _NOTHING, np.zeros((0, SIDE, SIDE), np.bool_))


def square_of(row: Mapping[str, Any]) -> Squares | str:
    """Return the square of one row, or the reason for having none.

    Args:
        row: a prepared row: images in any form in which `datasets` hands them out, or the bytes of their files.

    Raises:
        ConfigurationError: what should be an image is none.
    """
    box = row["box"]
    if box is None or row["foreground"] is None or row["mask"] is None or row["background"] is None:
        return INCOMPLETE
    background = open_image(row["background"]).convert("RGB")
    source = background.copy()
    source.paste(open_image(row["foreground"]).convert("RGB"), (box[0], box[1]))
    object_alone = open_image(row["mask"]).convert("L")
    mask = Image.new("L", background.size)
    mask.paste(object_alone, (box[0], box[1]))
    tight = object_alone.getbbox()
    if tight is None:
        return INCOMPLETE
    frame = _frame((box[0] + tight[0], box[1] + tight[1], box[0] + tight[2], box[1] + tight[3]), background.size)
    pixels = [_small(image, frame)[None] for image in (source, background, mask)]
    square = Squares.of([str(row["key"])], [int(row["label"])], pixels[0], pixels[1], pixels[2] >= 128)
    if not square.masks.any():
        return INCOMPLETE
    return square if square.rings.mean() >= _LEAST_RING else NO_RING


def _frame(tight: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the box of an object with its margin, within the image."""
    x0, y0, x1, y1 = tight
    margin = max(_LEAST_MARGIN, round(_MARGIN * max(x1 - x0, y1 - y0)))
    return max(0, x0 - margin), max(0, y0 - margin), min(size[0], x1 + margin), min(size[1], y1 + margin)


def _small(image: Image.Image, frame: tuple[int, int, int, int]) -> Colours:
    """Return what is in a frame at the square's size; both sides fit, so that proportions may change."""
    pixels: Colours = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=frame, reducing_gap=3.0))
    return pixels
