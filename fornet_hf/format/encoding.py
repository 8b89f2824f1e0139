"""The settings that a release was made with. They stand in its manifest; every constant stands here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fornet_hf.errors import PatchFormatError, explain
from fornet_hf.format import jpeg

_FIXED = {"quality": jpeg.QUALITY, "subsampling": "4:2:0", "restart_interval": 1, "mcu": jpeg.MCU}
_RANGES = {"max_side": (jpeg.MCU, 4096), "dilation": (0, 256)}


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Settings by which rasters, masks and predictions of one release are made.

    Attributes:
        max_side: longest side of a canonical raster in pixels, 16 to 4096.
        dilation: how far infilling reaches beyond the mask, in pixels in x and in y, 0 to 256. The default is
            what the public pipeline's blur of radius 7 reaches.
        quality: JPEG quality of predictions and targets; format version 1 fixes it to 90.
        subsampling: of the chroma channels; fixed to "4:2:0".
        restart_interval: MCUs between restart markers; fixed to 1.
        mcu: side of an MCU in pixels, to which the boxes of foregrounds are aligned; fixed to 16.
    """

    max_side: int = 512
    dilation: int = 18
    quality: int = jpeg.QUALITY
    subsampling: str = "4:2:0"
    restart_interval: int = 1
    mcu: int = jpeg.MCU

    def __post_init__(self) -> None:
        for name, only in _FIXED.items():
            value = getattr(self, name)
            if type(value) is not type(only) or value != only:
                raise PatchFormatError(explain(f"encoding.{name} is not supported", found=repr(value), allowed=only))
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise PatchFormatError(
                    explain(f"encoding.{name} is out of range", found=repr(value), allowed=f"{low} to {high}")
                )

    @property
    def max_target_bytes(self) -> int:
        """Upper limit for a target JPEG.

        An MCU has 6 blocks of 64 coefficients of at most 26 bits (T.81: 16 for the code, 10 for the value);
        byte stuffing can double that. So 2,496 bytes and a marker, and the header.
        """
        side = -(-self.max_side // self.mcu)
        return len(jpeg.header()) + 2498 * side * side

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Encoding:
        """Return the settings in a JSON object.

        Raises:
            PatchFormatError: not an object, unknown or missing names, values that are not allowed.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(value, Mapping) or sorted(value) != sorted(names):
            found = sorted(value) if isinstance(value, Mapping) else repr(value)
            raise PatchFormatError(
                explain("the encoding is not an object of these names", found=found, allowed=names)
            )
        return cls(**value)
