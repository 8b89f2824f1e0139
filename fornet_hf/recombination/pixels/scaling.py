"""Scale a part of an image: bilinear or bicubic, antialiased, as torchvision does with a PIL image.

Pillow does the work. Where torch is loaded (as in every process that trains), its vectorised kernel scales from whole
pixels on three times faster, and an object's mask along with its colours at no cost. Both compute the same weights,
torch with 15 bits instead of 22, and both round to bytes after the rows and again after the columns: so a value can
differ by a level after either, by 2 levels of 255 at most. One in a hundred differs at all.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from fornet_hf.recombination.draw.composition import Bounds, Size
from fornet_hf.recombination.draw.configuration import BICUBIC, BILINEAR
from fornet_hf.recombination.pixels.span import Span

SUPPORT = {BILINEAR: 1, BICUBIC: 2}
"""How far a filter sees, in pixels of whichever grid is coarser."""

_FILTERS = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}
ONE_BLOCK = 2**21  # pixels; Pillow splits the memory of images of 16 MiB and more


def is_whole(box: Bounds) -> bool:
    """Return whether all edges of a box lie between pixels."""
    return all(float(edge).is_integer() for edge in box)


def scaled(image: Image.Image, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Image.Image:
    """Return the part `box` of an image (mode RGB or L), scaled to `output`.

    Nothing beyond a box of whole pixels shows; the filter for another box does see the pixels around it.
    """
    if not is_whole(box):
        scale = _in_passes if interpolation == BICUBIC else resampled
        return scale(image, box, output, interpolation)
    left, top, right, bottom = (int(edge) for edge in box)
    torch = _torch_for(image)
    if torch is None or image.mode != "RGB" or (right - left, bottom - top) == output:
        part = image.crop((left, top, right, bottom))
        return part if part.size == output else _in_passes(part, (0, 0, *part.size), output, interpolation)
    pixels = shared_pixels(torch, image)[:, top:bottom, left:right].permute(0, 3, 1, 2)
    result = torch.nn.functional.interpolate(pixels, output[::-1], mode=interpolation, antialias=True)
    return _image(output, result.permute(0, 2, 3, 1).numpy())


def resampled(image: Image.Image, box: Bounds, output: Size, interpolation: str = BILINEAR) -> Image.Image:
    """Return the part `box` of the image scaled as a whole: the filter sees the pixels around the box."""
    return image.resize(output, _FILTERS[interpolation], box=box)


def scaled_with_mask(
    colours: Image.Image, mask: Image.Image, spans: tuple[Span, Span], interpolation: str = BILINEAR
) -> tuple[Image.Image, npt.NDArray[np.uint8]]:
    """Scale colours (RGB) and mask (L) of an object alike.

    Args:
        colours: the mask is put into the fourth byte that every pixel has in Pillow, and that nobody sees.
        mask: of the same size.
        spans: in x and y, pixels of `colours`; made for the support of that interpolation.

    Returns: RGB; and the mask as uint8, height x width.
    """
    x, y = spans
    torch = _torch_for(colours)
    if torch is None or x.surplus is None or y.surplus is None or _is_left_alone(x) or _is_left_alone(y):
        return _resized(colours, x, y, interpolation), scaled_mask(mask, spans, interpolation)
    rows, columns = slice(y.first, y.last), slice(x.first, x.last)
    seen = shared_pixels(torch, colours)[:, rows, columns]
    seen.numpy()[0, :, :, 3] = np.asarray(mask)[rows, columns]
    result = torch.nn.functional.interpolate(
        seen.permute(0, 3, 1, 2),
        scale_factor=(_factor(y), _factor(x)),
        mode=interpolation,
        antialias=True,
        recompute_scale_factor=False,
    )
    result = result[0, :, y.surplus : y.surplus + y.output, x.surplus : x.surplus + x.output]
    pixels = result.permute(1, 2, 0).contiguous().numpy()
    return _image((x.output, y.output), pixels), pixels[..., 3]


def _image(size: Size, pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """Return an RGB image of pixels of 4 bytes."""
    image = Image.new("RGB", size, None)  # not filled, as every pixel is written
    image.frombytes(pixels, "raw", "RGBX")
    return image


def _factor(span: Span) -> float:
    """Return the pixels of torch's output per pixel of the source."""
    return (1 + 1e-9) / span.step  # a little more: torch rounds the number of pixels down, and may not lose one


def _is_left_alone(span: Span) -> bool:
    """Return whether torch's kernel would not scale it: with as many pixels afterwards it ignores the factor."""
    seen = span.last - span.first
    return span.step != 1 and int(seen * _factor(span)) == seen


def scaled_mask(mask: Image.Image, spans: tuple[Span, Span], interpolation: str = BILINEAR) -> npt.NDArray[np.uint8]:
    """Scale the mask alone, as `scaled_with_mask` does."""
    return np.asarray(_resized(mask, *spans, interpolation))


def _resized(image: Image.Image, x: Span, y: Span, interpolation: str) -> Image.Image:
    part = image.crop((x.first, y.first, x.last, y.last))
    left, top = x.surplus or 0, y.surplus or 0
    size = left + x.output, top + y.output
    box = (x.start - left * x.step, y.start - top * y.step, x.start + x.output * x.step, y.start + y.output * y.step)
    inside = max(0.0, box[0]), max(0.0, box[1]), min(box[2], part.width), min(box[3], part.height)
    return _in_passes(part, inside, size, interpolation).crop((left, top, *size))


def _in_passes(image: Image.Image, box: Bounds, output: Size, interpolation: str) -> Image.Image:
    """Resample rows before columns, as torch does.

    Pillow before 13 does so too; from then on it begins with what is cheaper, and as overshoot of bicubic is cut off
    after either, the order shows at edges.
    """
    reach = math.ceil(SUPPORT[interpolation] * max(1.0, (box[3] - box[1]) / output[1])) + 1
    top, bottom = max(0, math.floor(box[1]) - reach), min(image.height, math.ceil(box[3]) + reach)
    rows = resampled(image, (box[0], top, box[2], bottom), (output[0], bottom - top), interpolation)
    return resampled(rows, (0, box[1] - top, output[0], box[3] - top), output, interpolation)


def _torch_for(image: Image.Image) -> Any:
    """Return torch, if it is loaded and can see the image's pixels in place; else None."""
    torch = sys.modules.get("torch")
    fits = hasattr(torch, "nn") and image.width * image.height <= ONE_BLOCK
    return torch if fits else None


def shared_pixels(torch: Any, image: Image.Image) -> Any:
    """Return a tensor of 1 x height x width x 4 over the memory of an RGB image: each pixel has 4 bytes."""
    return torch.from_dlpack(pa.array(image).values).view(1, image.height, image.width, 4)
