"""Pixels of a preview: heat maps, outlines of masks, and boxes with their scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fornet_hf.format.masks import Box, Mask
from producers.devices.opencv import load_cv2
from producers.scene import Detection, Raster, SoftMap

Colour = tuple[int, int, int]

COLOURS: Sequence[Colour] = (
    (255, 40, 90), (60, 170, 255), (255, 190, 0), (20, 190, 110), (190, 110, 255), (255, 120, 30), (0, 200, 210),
    (170, 140, 100),
)  # fmt: skip
"""Of prompts, told apart on photographs and by most who see fewer colours."""
LABELLED = 8
"""Boxes of an image whose scores are written on it: the best ones, as far as there is room."""


def colours_of(prompts: Sequence[str]) -> dict[str, Colour]:
    """Return a colour for each prompt, by its place; the colours begin anew after the last."""
    distinct = dict.fromkeys(prompts)
    return {prompt: COLOURS[number % len(COLOURS)] for number, prompt in enumerate(distinct)}


def fitted(raster: Raster, size: tuple[int, int]) -> Raster:
    """Return a raster scaled so that it just fits into a width and height."""
    cv2 = load_cv2()
    height, width = raster.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    wanted = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    result: Raster = cv2.resize(np.ascontiguousarray(raster), wanted, interpolation=how)
    return result


def heat(raster: Raster, soft: SoftMap) -> Raster:
    """Return the raster in grey under the colours of a soft map, which is stretched over it."""
    cv2 = load_cv2()
    height, width = raster.shape[:2]
    wide = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    colours = cv2.applyColorMap(wide, cv2.COLORMAP_TURBO)[..., ::-1]
    grey = raster.mean(-1, keepdims=True)
    result: Raster = (0.45 * grey + 0.55 * colours).round().astype(np.uint8)
    return result


def outlined(raster: Raster, mask: Mask, colour: Colour = COLOURS[0]) -> Raster:
    """Return the raster with the edge of a mask, which is stretched over it, the rest of the image darker."""
    cv2 = load_cv2()
    height, width = raster.shape[:2]
    inside = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    result: Raster = np.where(inside[..., None] > 0, raster, raster // 2)
    contours, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(result, contours, -1, colour, thickness=2)
    return result


def boxed(raster: Raster, size: tuple[int, int], found: Sequence[Detection], colours: Mapping[str, Colour]) -> Raster:
    """Return the raster with boxes in the colours of their prompts, the best on top and with their scores.

    Args:
        raster: at the size of the sheet, so that text stays sharp.
        size: width and height of the raster that the boxes are of.
        found: the boxes, in pixels of that.
        colours: by prompt.
    """
    image = Image.fromarray(raster)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    scales = image.width / size[0], image.height / size[1]
    ordered = [(one, _scaled(one.box, scales)) for one in sorted(found, key=lambda one: -one.score)]
    for number, (one, box) in reversed([*enumerate(ordered)]):
        draw.rectangle(box, outline=colours[one.prompt], width=2 if number < LABELLED else 1)
    taken: list[Box] = []
    for one, box in ordered[:LABELLED]:
        text = f"{one.score:.2f}"
        chip = next(_free(box, (round(font.getlength(text)) + 5, 15), image.size, taken), None)
        if chip is not None:
            taken.append(chip)
            draw.rectangle(chip, colours[one.prompt])
            middle = (chip[0] + chip[2]) / 2 + 0.5, (chip[1] + chip[3]) / 2 + 0.5
            draw.text(middle, text, ink(colours[one.prompt]), font, anchor="mm")
    return np.asarray(image)


def ink(colour: Colour) -> Colour:
    """Return black or white, the one that can be read on a colour."""
    return (0, 0, 0) if np.dot(colour, (0.299, 0.587, 0.114)) > 128 else (255, 255, 255)


def _scaled(box: Box, scales: tuple[float, float]) -> Box:
    """Return a box's outermost pixels at another size, not beyond each other."""
    x0, y0, x1, y1 = (round(edge * scale) for edge, scale in zip(box, scales * 2, strict=True))
    return x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)


def _free(box: Box, chip: tuple[int, int], size: tuple[int, int], taken: Sequence[Box]) -> Iterator[Box]:
    """Yield places beside a box, and inside of a large one, that are on the image and do not touch what is taken."""
    (x0, y0, x1, y1), (width, height) = box, chip
    left, right = min(x0, size[0] - width), max(0, x1 + 1 - width)
    inside = [(left, y0), (right, y0), (left, y1 + 1 - height)] if y1 - y0 > 2 * height and x1 - x0 > width else []
    outside = [(left, y0 - height), (right, y0 - height), (left, y1 + 1), (x1 + 1, y0), (x0 - width, y0)]
    for x, y in (outside[0], *inside, *outside[1:]):
        place = x, y, x + width - 1, y + height - 1
        clear = all(place[2] < a or place[0] > c or place[3] < b or place[1] > d for a, b, c, d in taken)
        if clear and x >= 0 and y >= 0 and place[2] < size[0] and place[3] < size[1]:
            yield place
