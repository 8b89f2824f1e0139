"""A patch, which turns a source image into a prepared row.

`make_patch` and `apply_patch` are pure functions and each other's inverse; docs/patch_format.md specifies them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.errors import IntegrityError, PatchFormatError, explain
from fornet_hf.format import jpeg
from fornet_hf.format.delta import apply_delta, make_delta
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.jpeg import Rectangle
from fornet_hf.format.masks import Box, Mask, bounding_box, decode_mask, dilate, encode_mask
from fornet_hf.format.raster import canonical_raster
from fornet_hf.format.rows import Row

DIGEST_BYTES = 32
MAX_PART_BYTES = 2**24  # of a mask or a delta; a row group of 2**26 bytes then holds any patch


def digest(data: bytes) -> bytes:
    """Return the SHA-256: 32 bytes."""
    return hashlib.sha256(data).digest()


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One row of a patch shard. Either part may be missing: mask and box, or delta and target_sha256.

    Attributes:
        key: name of the source image without ending; no path separators.
        label: index of the class, 0 or more.
        width: of the canonical raster, pixels.
        height: of the canonical raster, pixels.
        source_sha256: digest of the source file's bytes.
        prediction_sha256: digest of the prediction JPEG (tells a changed decoder from a damaged patch).
        target_sha256: digest of the background JPEG.
        box: x0, y0, x1, y1 of the foreground in pixels: multiples of 16, or the raster's edge.
        mask: 1-bit PNG over the box.
        delta: BSDIFF4 from prediction to background JPEG.
        foreground_ratio: area of the mask / area of the raster.
    """

    key: str
    label: int
    width: int
    height: int
    source_sha256: bytes
    prediction_sha256: bytes
    target_sha256: bytes | None
    box: Box | None
    mask: bytes | None
    delta: bytes | None
    foreground_ratio: float

    def __post_init__(self) -> None:
        _check_key(self.key)
        _check_digests(self)
        _check_parts(self)
        if not (1 <= self.width <= 4096 and 1 <= self.height <= 4096 and self.label >= 0):
            found = f"{self.width} x {self.height}, label {self.label}"
            raise PatchFormatError(explain("size or label is out of range", found=found, allowed="1 to 4096, >= 0"))
        if not 0.0 <= self.foreground_ratio <= 1.0:
            raise PatchFormatError(
                explain("foreground_ratio is out of range", found=self.foreground_ratio, allowed="0 to 1")
            )
        if self.box is not None:
            _check_box(self.box, self.size)
        elif self.foreground_ratio != 0:
            raise PatchFormatError(
                explain("foreground_ratio without a foreground", found=self.foreground_ratio, allowed=0)
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the raster in pixels."""
        return self.width, self.height

    def check_label(self, classes: int) -> None:
        """Raise a PatchFormatError if the label is not that of one of so many classes."""
        if self.label >= classes:
            raise PatchFormatError(explain("label", found=self.label, allowed=f"0 to {classes - 1}"))


def _check_key(key: str) -> None:
    if not (isinstance(key, str) and 0 < len(key) <= 255) or key[0] == "." or any(c in '/\\\0:*?"<>|\n' for c in key):
        allowed = '1 to 255 characters, none of / \\ : * ? " < > |, not starting with a dot'
        raise PatchFormatError(explain("the key is not a plain file name", found=repr(key)[:80], allowed=allowed))


def _check_digests(patch: Patch) -> None:
    for name in ("source_sha256", "prediction_sha256", "target_sha256"):
        value = getattr(patch, name)
        if value is None and name == "target_sha256":
            continue
        if not isinstance(value, bytes) or len(value) != DIGEST_BYTES:
            raise PatchFormatError(explain(f"{name} is no SHA-256", found=repr(value)[:80], allowed="32 bytes"))


def _check_parts(patch: Patch) -> None:
    foreground = [patch.box is not None, patch.mask is not None]
    background = [patch.delta is not None, patch.target_sha256 is not None]
    if any(foreground) != all(foreground) or any(background) != all(background) or not any(foreground + background):
        found = [name for name in ("box", "mask", "delta", "target_sha256") if getattr(patch, name) is not None]
        allowed = "box with mask, delta with target_sha256, or all four"
        raise PatchFormatError(explain("the patch's parts do not go together", found=found, allowed=allowed))
    sizes = len(patch.mask or b""), len(patch.delta or b"")
    if max(sizes) > MAX_PART_BYTES:
        raise PatchFormatError(
            explain("mask or delta is too large", found=f"{sizes} bytes", allowed=f"{MAX_PART_BYTES} bytes each")
        )


def _check_box(box: Box, size: tuple[int, int]) -> None:
    x0, y0, x1, y1 = box
    inside = 0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1]
    aligned = x0 % jpeg.MCU == y0 % jpeg.MCU == 0
    aligned = aligned and (x1 % jpeg.MCU == 0 or x1 == size[0]) and (y1 % jpeg.MCU == 0 or y1 == size[1])
    if not (inside and aligned):
        allowed = f"inside of {size[0]} x {size[1]}, edges at multiples of {jpeg.MCU} or at the raster's edge"
        raise PatchFormatError(explain("the box is not allowed", found=box, allowed=allowed))


def make_patch(
    source: bytes,
    mask: Mask,
    infilled: npt.NDArray[np.uint8],
    *,
    key: str,
    label: int,
    encoding: Encoding,
    replaced: Mask | None = None,
) -> Patch:
    """Make the patch for one image.

    Args:
        source: bytes of the source file.
        mask: bool, height x width of the canonical raster: the object's pixels.
        infilled: uint8, height x width x 3: the raster without the object.
        key: name of the image without ending.
        label: index of the class.
        encoding: the release's settings.
        replaced: bool, height x width: which pixels of the background are those of `infilled`. None: those inside
            of the mask dilated by `encoding.dilation`.

    Raises:
        EmptyMaskError: the mask has no true pixel; there is nothing to take apart.
        PatchFormatError: mask or infilled have another shape or type.
        SourceError: the source cannot be decoded.
    """
    raster = canonical_raster(source, encoding.max_side)
    pixels = np.asarray(raster)
    for name, array, shape, kind in (
        ("mask", mask, pixels.shape[:2], np.bool_),
        ("infilled", infilled, pixels.shape, np.uint8),
    ):
        if array.shape != shape or array.dtype != kind:
            found = f"{array.shape} {array.dtype}"
            raise PatchFormatError(explain(f"{name} does not fit the raster", found=found, allowed=f"{shape} {kind}"))
    hole = dilate(mask, encoding.dilation)
    area = Rectangle.around(bounding_box(hole), raster.size)
    box = area.pixels(raster.size)
    prediction = jpeg.encode(raster)
    changed = raster.copy()
    changed.paste(Image.fromarray(infilled), mask=Image.fromarray(hole if replaced is None else replaced))
    target = jpeg.encode(changed)
    return Patch(
        key=key,
        label=label,
        width=raster.size[0],
        height=raster.size[1],
        source_sha256=digest(source),
        prediction_sha256=digest(prediction),
        target_sha256=digest(target),
        box=box,
        mask=encode_mask(mask[box[1] : box[3], box[0] : box[2]]),
        delta=make_delta(prediction, target),
        foreground_ratio=float(np.float32(mask.mean())),
    )


def apply_patch(source: bytes, patch: Patch, encoding: Encoding) -> Row:
    """Return the prepared row that `patch` describes, from the source file's bytes.

    Raises:
        IntegrityError: the source is another file, this decoder gives other pixels, or the patch is damaged.
        PatchFormatError: mask, delta or the background that it gives do not follow the format.
        SourceError: the source cannot be decoded.
    """
    _expect(
        source,
        patch.source_sha256,
        "the source image is not the one this patch was made from",
        _OTHER_SOURCE,
    )
    raster = canonical_raster(source, encoding.max_side)
    if raster.size != patch.size:
        raise PatchFormatError(explain("the raster's size differs", found=raster.size, allowed=patch.size))
    prediction = jpeg.encode(raster)
    _expect(prediction, patch.prediction_sha256, "the prediction differs from the maker's", _OTHER_DECODER)
    background = None
    if patch.delta is not None and patch.target_sha256 is not None:
        background = apply_delta(prediction, patch.delta, max_bytes=encoding.max_target_bytes)
        _expect(background, patch.target_sha256, "the patch does not give its background", _DAMAGED)
        jpeg.check(background, patch.size)
    foreground = None
    if patch.box is not None and patch.mask is not None:
        foreground = jpeg.cut(prediction, Rectangle.around(patch.box, patch.size))
        _check_ratio(patch, patch.mask, patch.box)
    return Row(
        key=patch.key,
        label=patch.label,
        foreground=foreground,
        mask=patch.mask,
        background=background,
        box=patch.box,
        foreground_ratio=patch.foreground_ratio,
    )


_OTHER_SOURCE = "Use the unmodified ImageNet files of the source revision that the manifest names."
_OTHER_DECODER = "Pillow decodes or encodes JPEG differently here: install a Pillow wheel from PyPI (11.3 or newer)."
_DAMAGED = "Download the patch shard again; if that does not help, report it to the release's maintainer."


def _expect(data: bytes, expected: bytes, what: str, then: str) -> None:
    found = digest(data)
    if found != expected:
        raise IntegrityError(
            explain(
                what,
                found=f"sha256 {found.hex()} of {len(data)} bytes",
                allowed=f"sha256 {expected.hex()}",
                then=then,
            )
        )


def _check_ratio(patch: Patch, mask: bytes, box: Box) -> None:
    pixels = decode_mask(mask, (box[2] - box[0], box[3] - box[1]))
    if not pixels.any():
        raise PatchFormatError("the mask selects no pixel, so there is no foreground")
    ratio = float(np.count_nonzero(pixels)) / (patch.width * patch.height)
    if abs(ratio - patch.foreground_ratio) > 1e-6:
        raise PatchFormatError(
            explain("foreground_ratio does not fit the mask", found=patch.foreground_ratio, allowed=f"{ratio:.7f}")
        )
