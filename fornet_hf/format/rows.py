"""A prepared row: one image taken apart, ready to be recombined."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.masks import Box


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the dataset. A row without foreground has neither mask nor box; one of both parts may miss.

    Attributes:
        key: name of the source image without ending, e.g. `n01440764_10026`.
        label: index of the class.
        foreground: JPEG of the raster over `box`, the object's surroundings included.
        mask: 1-bit PNG of the same size: the object's pixels.
        background: JPEG of the infilled raster, full size.
        box: x0, y0, x1, y1 of the foreground on the raster, pixels, ends excluded.
        foreground_ratio: area of the mask / area of the raster, 0 to 1; 0 without a foreground.
    """

    key: str
    label: int
    foreground: bytes | None
    mask: bytes | None
    background: bytes | None
    box: Box | None
    foreground_ratio: float


def open_image(value: object) -> Image.Image:
    """Return an image from any form in which `datasets` hands out an Image column: decoded, a dict, or bytes.

    Raises:
        ConfigurationError: none of these.
    """
    if isinstance(value, Image.Image):
        return value
    if isinstance(value, Mapping) and isinstance(value.get("bytes"), bytes):
        return Image.open(io.BytesIO(value["bytes"]))
    if isinstance(value, bytes):
        return Image.open(io.BytesIO(value))
    allowed = "a PIL image, a dict with 'bytes', or bytes"
    raise ConfigurationError(explain("this is no image", found=type(value).__name__, allowed=allowed))


def cutout(row: Mapping[str, Any]) -> Image.Image:
    """Return the object of a row alone: an RGBA image, transparent outside of the mask.

    Args:
        row: a row of the dataset without a transform, as `ds[0]` gives it.

    Raises:
        ConfigurationError: the row has no foreground, or is no ForNet row.

    Example:
        >>> import fornet_hf
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> x0, y0, x1, y1 = ds[0]["box"]
        >>> fornet_hf.cutout(ds[0]).size == (x1 - x0, y1 - y0)
        True
    """
    if row.get("foreground") is None or row.get("mask") is None:
        raise ConfigurationError(
            explain(
                "this row has no foreground to cut out",
                found=f"columns {sorted(name for name, value in row.items() if value is not None)}",
                allowed="a row with 'foreground' and 'mask'",
                then="Rows that a transform changed do not qualify: call ds.reset_format() first.",
            )
        )
    result = open_image(row["foreground"]).convert("RGBA")
    result.putalpha(open_image(row["mask"]).convert("L"))
    return result
