"""Infilling by LaMa: the TorchScript `big-lama`, which the package `simple-lama-inpainting` fetches."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from simple_lama_inpainting.models import model as package

from fornet_hf.errors import IntegrityError, NotFoundError, explain
from fornet_hf.format.masks import Box, Mask, bounding_box
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.infill.torchscript import loaded, memory_errors, unfused
from producers.scene import Identity, Raster

VARIABLE = "LAMA_MODEL"
_MULTIPLE = 8  # LaMa halves the image three times


class Window(NamedTuple):
    """The part of an image that LaMa sees, and its place in the image."""

    raster: Raster
    hole: Mask
    box: Box


@dataclass(frozen=True, kw_only=True)
class Lama:
    """LaMa on whole images; of large ones, on the hole and its surroundings.

    Its Fourier convolutions see the whole image, so cropping and padding change what it invents. Hence
    images are padded no further than the network needs, and only those of equal padded size share a batch.

    Attributes:
        model: maps images (float32, n x 3 x h x w, 0 to 1) and holes (int64, n x 1 x h x w, 0 or 1) to images.
        placement: of the model. The precision is always float32: the transforms need it, and they are inside.
        revision: of the weights.
        batch_size: images at a time.
        crop_above: longer side in pixels above which only the hole and its surroundings are seen.
        margin: of those surroundings, pixels.
    """

    model: Any
    placement: Placement
    revision: str
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(16))
    crop_above: int = 800
    margin: int = 128

    @property
    def identity(self) -> Identity:
        """The model, as the manifest names it."""
        settings = (("crop_above", self.crop_above), ("margin", self.margin))
        return Identity(name="lama", model="big-lama", revision=self.revision, settings=settings)

    def bucket(self, height: int, width: int) -> tuple[int, ...]:
        """Return the size at which it works on an image; of large ones it depends on the hole, and is not told."""
        return () if max(height, width) > self.crop_above else _padded((height, width))

    def infill(self, rasters: Sequence[Raster], holes: Sequence[Mask]) -> list[Raster]:
        """Return each image with its hole filled; outside of the hole nothing changes."""
        results = [raster.copy() for raster in rasters]
        open_ones = [index for index, hole in enumerate(holes) if hole.any()]
        windows = [self._window(rasters[index], holes[index]) for index in open_ones]
        filled = run_batched(windows, self._fill, size=self.batch_size, key=lambda window: _padded(window.hole.shape))
        for index, window, pixels in zip(open_ones, windows, filled, strict=True):
            x0, y0, x1, y1 = window.box
            view = results[index][y0:y1, x0:x1]
            np.copyto(view, pixels, where=window.hole[..., None])
        return results

    def _window(self, raster: Raster, hole: Mask) -> Window:
        height, width = hole.shape
        box = (0, 0, width, height)
        if max(height, width) > self.crop_above:
            x0, y0, x1, y1 = bounding_box(hole)
            left, right = _around(x0, x1, self.margin, width)
            top, bottom = _around(y0, y1, self.margin, height)
            box = (left, top, right, bottom)
        x0, y0, x1, y1 = box
        return Window(raster[y0:y1, x0:x1], hole[y0:y1, x0:x1], box)

    def _fill(self, windows: list[Window]) -> list[Raster]:
        place = self.placement
        images = place.stacked([_pad(window.raster) for window in windows]).permute(0, 3, 1, 2)
        holes = place.stacked([_pad(window.hole) for window in windows])[:, None]
        plain = unfused() if "unfused" in place.speedups else contextlib.nullcontext()
        precise = torch.autocast(torch.device(place.device).type, enabled=False)
        with torch.inference_mode(), precise, memory_errors(), plain:
            output = self.model(images.float() / 255, holes.long())
            # The public tool cuts the fraction off instead of rounding; so the same weights give the same pixels.
            pixels = (output * 255).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return [
            filled[: window.hole.shape[0], : window.hole.shape[1]]
            for filled, window in zip(pixels, windows, strict=True)
        ]


def _around(low: int, high: int, margin: int, side: int) -> tuple[int, int]:
    """Return an interval with a margin, its length a multiple of 8; shift it inwards at the ends, do not cut it."""
    length = min(high - low + 2 * margin, side)
    length = min(length + -length % _MULTIPLE, side)
    start = min(max(0, low - margin), side - length)
    return start, start + length


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side + -side % _MULTIPLE for side in shape[:2])


def _pad(array: np.ndarray) -> np.ndarray:
    """Return it mirrored at the right and lower edge, up to multiples of 8."""
    high, wide = _padded(array.shape)
    width = ((0, high - array.shape[0]), (0, wide - array.shape[1])) + ((0, 0),) * (array.ndim - 2)
    return np.pad(array, width, mode="symmetric")


def load(
    placement: Placement, model: str | None = None, revision: str | None = None, *, batch_size: int = 16
) -> Lama:
    """Load LaMa.

    Args:
        placement: where it runs.
        model: file of the weights; None: the one that the environment variable LAMA_MODEL names, else the one
            which the package fetches.
        revision: MD5 which the file must have; None admits any.
        batch_size: images at a time.

    Raises:
        NotFoundError: the file is missing and cannot be fetched; the message has the line that fetches it.
        IntegrityError: the file has another MD5.
    """
    path = _weights(model or os.environ.get(VARIABLE))
    found = _md5(path)
    if revision is not None and found != revision:
        then = "Delete the file and fetch it again, or say which MD5 you expect."
        raise IntegrityError(explain(f"{path} is not the expected model", found=found, allowed=revision, then=then))
    network = loaded(path, placement.device, folded="folded" in placement.speedups)
    return Lama(model=network, placement=placement, revision=f"md5:{found}", batch_size=BatchSize(batch_size))


def _weights(given: str | None) -> Path:
    """Return the file of the weights; the package fetches it if none is given.

    Raises:
        NotFoundError: it is missing and cannot be fetched.
    """
    try:
        path = Path(given or package.download_model(package.LAMA_MODEL_URL))
    except OSError as error:  # of which URLError is one
        raise _missing(error) from error
    if not path.is_file():
        raise _missing(f"no file {path}")
    return path


def _missing(found: object) -> NotFoundError:
    then = f"Fetch it: curl -L -o big-lama.pt {package.LAMA_MODEL_URL} && export {VARIABLE}=$PWD/big-lama.pt"
    return NotFoundError(explain("LaMa's weights are missing", found=found, then=then))


def _md5(path: Path) -> str:
    """Return the digest that the weights are known by; it is not for safety."""
    result = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            result.update(chunk)
    return result.hexdigest()
