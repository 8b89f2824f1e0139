"""Batches packed in a worker: layers one after the other in memory that it shares with the training process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.device.batch import AT, COLUMNS, LAYER, WHOLE, Batch, Code, Most
from fornet_hf.recombination.device.layers import Deferred, Layer, Pixels
from fornet_hf.recombination.pixels.scaling import SUPPORT

_LARGEST = 2**31 - 1  # bytes; offsets are int32


def pack(images: Sequence[Deferred], labels: Any, columns: dict[str, Any]) -> Batch:
    """Return the batch of one or more images; see `Batch` for the arguments.

    Raises:
        ConfigurationError: they differ in size or interpolation, or need more than 2 GiB.
    """
    kinds = sorted({(image.output, image.interpolation, image.with_mask) for image in images})
    if len(kinds) != 1:
        what, then = (
            "images of one batch differ in size, interpolation or mask",
            "Crop them to one size: crop=224, say.",
        )
        raise ConfigurationError(explain(what, found=kinds, then=then))
    output, interpolation, with_masks = kinds[0]
    index = np.zeros((len(images), len(COLUMNS)), np.int32)
    writer = _Writer(index, SUPPORT[interpolation])
    for row, image in enumerate(images):
        x0, y0, x1, y1 = image.place
        index[row, : len(WHOLE)] = image.flip, image.pasted, x0, y0, x1 - x0, y1 - y0
        index.view(np.float32)[row, -2:] = image.halves
        writer.layer(row, "background", image.background)
        if image.foreground is not None:
            writer.layer(row, "foreground", image.foreground)
    places = index[:, AT["width"]], index[:, AT["height"]]
    return Batch(
        flat=writer.flat(),
        labels=labels,
        columns=columns,
        count=len(images),
        output=output,
        with_masks=with_masks,
        background=writer.most["background"],
        foreground=writer.most["foreground"],
        place=(max(1, int(places[0].max())), max(1, int(places[1].max()))),
        interpolation=interpolation,
        codes=writer.codes(),
        jpegs=tuple(writer.jpegs),
    )


class _Writer:
    """Collects what a batch consists of, and fills the index."""

    def __init__(self, index: npt.NDArray[np.int32], support: int) -> None:
        self._index, self._floats, self._support = index, index.view(np.float32), support
        self._pieces: list[tuple[int, npt.NDArray[np.uint8]]] = []
        self._end = index.nbytes
        self._decoded = 0  # bytes of the JPEGs' pixels so far; they come after the buffer
        self._coded_rows: list[tuple[int, int]] = []  # where an offset lacks the buffer's length
        self._codes: list[bytes] = []
        self.jpegs: list[Code] = []
        self.most = {"background": Most(), "foreground": Most()}

    def layer(self, row: int, kind: str, layer: Layer) -> None:
        """Take up one layer."""
        first = AT[f"{kind}_offset"]
        if isinstance(layer, Pixels):
            height, width = layer.quads.shape[:2]
            place: tuple[int, ...] = (self._add(layer.quads), 4 * width, 4, 1)
        else:
            width, height = layer.size
            x, y = layer.corner
            place = self._decoded + y * width + x, width, 1, width * height
            self._coded_rows.append((row, first))
            self._decoded += 3 * width * height
            self._codes.append(layer.data)
            self.jpegs.append(Code(row, kind, len(layer.data), layer.size))
            if layer.mask is not None:
                at = AT["foreground_mask"]
                self._index[row, at : at + 2] = self._add(layer.mask), layer.mask.shape[1]
        if self._end + self._decoded > _LARGEST:
            found, allowed = f"{row + 1} images with more than that", "2 GiB of pixels"
            then = "Make batches smaller."
            raise ConfigurationError(explain("a batch is too large", found=found, allowed=allowed, then=then))
        self._index[row, first : first + len(LAYER)] = *place, layer.x.length, layer.y.length
        at = AT[f"{kind}_x_start"]
        self._floats[row, at : at + 4] = layer.x.start, layer.x.step, layer.y.start, layer.y.step
        needed = layer.x.length, layer.y.length, *(self._taps(axis.step) for axis in (layer.x, layer.y))
        self.most[kind] = Most(*map(max, self.most[kind], needed))

    def flat(self) -> Tensor:
        """Return the buffer; in a worker of a DataLoader in memory that it shares with its parent."""
        for row, column in self._coded_rows:
            self._index[row, column] += self._end
        flat = _shared(self._end)
        whole = flat.numpy()
        whole[: self._index.nbytes] = self._index.reshape(-1).view(np.uint8)
        for start, piece in self._pieces:
            whole[start : start + piece.size].reshape(piece.shape)[...] = piece
        return flat

    def codes(self) -> Tensor | None:
        """Return the JPEGs, one after the other; None if there are none."""
        if not self._codes:
            return None
        codes = _shared(sum(map(len, self._codes)))
        whole, start = codes.numpy(), 0
        for data in self._codes:
            whole[start : start + len(data)] = np.frombuffer(data, np.uint8)
            start += len(data)
        return codes

    def _add(self, piece: npt.NDArray[np.uint8]) -> int:
        start = self._end
        self._pieces.append((start, piece))
        self._end += -(-piece.size // 4) * 4
        return start

    def _taps(self, step: float) -> int:
        return math.ceil(2 * self._support * max(step, 1.0)) + 1


def _shared(length: int) -> Tensor:
    """Return uninitialised memory, which a worker shares with its parent from the start, as in torch's collate."""
    if torch.utils.data.get_worker_info() is None:
        return torch.empty(length, dtype=torch.uint8)
    storage = torch.UntypedStorage._new_shared(length)  # type: ignore[no-untyped-call]  # noqa: SLF001  # else copied again
    return torch.empty(0, dtype=torch.uint8).set_(storage)
