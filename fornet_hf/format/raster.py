"""The canonical raster: the one array of pixels that a source image stands for.

Decoded to RGB without EXIF rotation (as PIL and torchvision do, unlike `datasets.Image`), and shrunk so that
its longer side fits. docs/patch_format.md, section 2, is the specification.
"""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from fornet_hf.errors import SourceError, explain

FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
MAX_SOURCE_PIXELS = 2**26  # decoded it takes 256 MiB in Pillow, half of what a worker may use
MAX_SOURCE_SIDE = 2**16 - 1  # of JPEG; Pillow's resizing of longer ones takes gigabytes
MAX_SOURCE_BYTES = 2**29  # of memory, while it is decoded and becomes RGB
MAX_SCANS = 100  # of a JPEG, each of which takes the decoder through the whole image; usual are 1 to 12

# What Pillow's decoders are known to raise on damaged input.
DECODE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def decode_rgb(data: bytes, size_of: Callable[[int, int], tuple[int, int]] | None = None) -> Image.Image:
    """Decode a JPEG, PNG, WEBP or BMP file to an RGB image, whatever its file name claims.

    Alpha is dropped, 16-bit gray keeps its high byte, CMYK, palette and gray are converted by Pillow. EXIF
    orientation is not applied.

    Args:
        data: bytes of the file.
        size_of: makes the width and height that are wanted of the image's own; by default they stay. It is the fast
            way to a small image: a JPEG's decoder does most of the shrinking, so the pixels are not the format's.

    Raises:
        SourceError: not an image of these formats, damaged, or beyond a limit: of pixels, of a side, of the memory
            that decoding takes, or of a JPEG's scans.
    """
    try:
        with _no_warnings(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            size, mode, scans = image.size, image.mode, _scans(data) if image.format == "JPEG" else 0
            small = size[0] * size[1] <= MAX_SOURCE_PIXELS and max(size) <= MAX_SOURCE_SIDE
            small = small and _memory(image) <= MAX_SOURCE_BYTES and scans <= MAX_SCANS
            wanted = size_of(*size) if size_of else size
            if wanted != size:
                image.draft(None, wanted)
            rgb = _to_rgb(image) if small and mode != "F" else None
            if rgb is not None and rgb.size != wanted:
                rgb = rgb.resize(wanted, Image.Resampling.BILINEAR)
    except DECODE_ERRORS as error:
        # Pillow's own text names the place in memory, which differs from run to run.
        reason = (
            "of no known format" if isinstance(error, UnidentifiedImageError) else f"{type(error).__name__}: {error}"
        )
        found = f"{len(data)} bytes ({reason})"
        then = "Replace the file by an undamaged copy."
        what = "the source image cannot be decoded"
        raise SourceError(explain(what, found=found, allowed=", ".join(FORMATS), then=then)) from error
    if rgb is None:
        found = f"{size[0]} x {size[1]}, mode {mode}, {scans} scans"
        allowed = f"{MAX_SOURCE_PIXELS} pixels, {MAX_SOURCE_SIDE} a side, integer pixels, {MAX_SCANS} scans"
        allowed += f", {MAX_SOURCE_BYTES >> 20} MiB to decode"
        raise SourceError(explain("the source image is too large or too deep", found=found, allowed=allowed))
    rgb.info = {}  # Pillow would write ICC profiles, comments and densities back into a JPEG made from it
    return rgb


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """Pillow warns of damaged EXIF data, of lost transparency and of sizes; none of that matters here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


_BYTES_A_PIXEL = {"RGB": 4, "L": 5, "P": 5, "1": 5, "I;16": 8, "I": 16}  # with the RGB that is made of it


def _scans(jpeg: bytes) -> int:
    """Count the marker that begins a scan; where pixels are coded, nothing else has its bytes."""
    codes = np.frombuffer(jpeg, np.uint8)
    markers = (codes[:-1] == 0xFF).nonzero()[0]  # a quarter of the time of `bytes.count`
    return int(np.count_nonzero(codes[markers + 1] == 0xDA))


def _memory(image: Image.Image) -> int:
    """Return the bytes that decoding and conversion to RGB take, measured with Pillow 13."""
    each = 16 if image.format == "WEBP" else _BYTES_A_PIXEL.get(image.mode, 8)
    if image.info.get("progressive"):
        each += 2 * len(image.getbands())  # all coefficients are kept until the last scan
    return image.width * image.height * each


def _to_rgb(image: Image.Image) -> Image.Image:
    image.load()
    if image.mode == "RGB":  # converting would copy it
        return image
    if image.mode.startswith("I"):  # 16-bit gray: Pillow's own conversion clips instead of scaling
        return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def fitted_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Return width and height after shrinking the longer side to `max_side` pixels; never below 1 pixel."""
    longer = max(width, height)
    if longer <= max_side:
        return width, height
    return (
        max(1, (2 * width * max_side + longer) // (2 * longer)),
        max(1, (2 * height * max_side + longer) // (2 * longer)),
    )


def canonical_raster(data: bytes, max_side: int) -> Image.Image:
    """Return the canonical raster (mode RGB) of a source file's bytes, longer side at most `max_side` pixels.

    Raises:
        SourceError: as `decode_rgb`.
    """
    rgb = decode_rgb(data)
    size = fitted_size(*rgb.size, max_side)
    return rgb if size == rgb.size else resized(rgb, size)


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the image at another width and height: Pillow's bicubic, rows before columns.

    One call would do that before Pillow 13, which begins with the columns where that is cheaper: other pixels, as
    values are rounded in between.
    """
    rows = image.resize((size[0], image.height), Image.Resampling.BICUBIC)
    return rows.resize(size, Image.Resampling.BICUBIC)
