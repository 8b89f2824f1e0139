"""A batch of images that are yet to be composed: one flat buffer, and an index that says what lies where in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.device.layers import Codes, Deferred, Layer, Pixels
from fornet_hf.recombination.draw.composition import Size
from fornet_hf.recombination.pixels.scaling import SUPPORT

WHOLE = ("flip", "left", "top", "width", "height")
"""Columns of an image's index, int32: mirrored; the place on the output, pixels."""
LAYER = ("offset", "row", "pixel", "channel", "columns", "rows")
"""Columns of a layer's index, int32: its first byte; bytes from a row, pixel or channel to the next; its size."""
MASK = ("mask", "mask_row")
"""Columns of packed bits, int32: the first byte, and the bytes of a row, 0 where the mask is the 4th channel."""
FLOATS = ("x_start", "x_step", "y_start", "y_step")
"""Columns of a layer's axes, float32; see `layers.Axis`."""
HALVES = ("x_half", "y_half")
COLUMNS = (
    *WHOLE,
    *(f"background_{name}" for name in (*LAYER, *FLOATS)),
    *(f"foreground_{name}" for name in (*LAYER, *MASK, *FLOATS)),
    *HALVES,
)
AT = {name: number for number, name in enumerate(COLUMNS)}


class Most(NamedTuple):
    """The most that any image of a batch needs of one kind; known without looking into the index on the device.

    Attributes:
        columns: pixels of a source, in x.
        rows: pixels of a source, in y.
        x_taps: pixels of the source that one of the output sees, in x.
        y_taps: the same in y.
    """

    columns: int = 1
    rows: int = 1
    x_taps: int = 1
    y_taps: int = 1


@dataclass(frozen=True)
class Batch:
    """Images that are yet to be composed, in one buffer.

    Attributes:
        flat: uint8; the index (int32 and float32, a row of `COLUMNS` an image), then pixels and masks.
        labels: as the loader gives them.
        output: width and height of each image.
        background: see `Most`.
        foreground: see `Most`.
        place: width and height of the largest place of a foreground.
        interpolation: "bilinear" or "bicubic".
        codes: uint8, on the CPU: JPEGs one after the other; None: all is decoded.
        lengths: of each JPEG, bytes.
        sizes: width and height of each JPEG: of the backgrounds, then of the foregrounds.
        others: further columns of the examples.
    """

    flat: Tensor
    labels: Any
    output: Size
    background: Most
    foreground: Most
    place: Size
    interpolation: str
    count: int
    codes: Tensor | None = None
    lengths: tuple[int, ...] = ()
    sizes: tuple[Size, ...] = ()
    others: dict[str, Any] | None = None

    def __len__(self) -> int:
        return self.count

    @property
    def device(self) -> torch.device:
        """Return where the buffer is."""
        return self.flat.device

    def index(self) -> tuple[Tensor, Tensor]:
        """Return the index as int32 and as float32, images x `COLUMNS`: two views of the same memory."""
        index = self.flat[: self.count * len(COLUMNS) * 4]
        return index.view(torch.int32).view(self.count, -1), index.view(torch.float32).view(self.count, -1)

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Batch:
        """Return it on another device. JPEGs stay, as their decoder reads them from the CPU's memory."""
        labels = self.labels.to(device, non_blocking=non_blocking) if isinstance(self.labels, Tensor) else self.labels
        return replace(self, flat=self.flat.to(device, non_blocking=non_blocking), labels=labels)

    def pin_memory(self) -> Batch:
        """Return it in page-locked memory, from which it goes to a GPU without waiting."""
        labels = self.labels.pin_memory() if isinstance(self.labels, Tensor) else self.labels
        return replace(self, flat=self.flat.pin_memory(), labels=labels)


def pack(images: Sequence[Deferred], labels: Any, others: dict[str, Any] | None = None) -> Batch:
    """Return the batch of one or more images.

    Raises:
        ConfigurationError: they differ in size or interpolation.
    """
    kinds = sorted({(image.output, image.interpolation) for image in images})
    if len(kinds) != 1:
        then = "Crop them to one size: crop=224, say."
        raise ConfigurationError(explain("images of one batch differ", found=kinds, then=then))
    output, interpolation = kinds[0]
    index = np.zeros((len(images), len(COLUMNS)), np.int32)
    writer = _Writer(index, SUPPORT[interpolation])
    for row, image in enumerate(images):
        x0, y0, x1, y1 = image.place
        index[row, : len(WHOLE)] = image.flip, x0, y0, x1 - x0, y1 - y0
        index.view(np.float32)[row, -2:] = image.halves
        writer.layer(row, "background", image.background)
        if image.foreground is not None:
            writer.layer(row, "foreground", image.foreground)
    places = index[:, AT["width"]], index[:, AT["height"]]
    return Batch(
        flat=writer.flat(),
        labels=labels,
        output=output,
        background=writer.most["background"],
        foreground=writer.most["foreground"],
        place=(max(1, int(places[0].max())), max(1, int(places[1].max()))),
        interpolation=interpolation,
        count=len(images),
        codes=writer.codes(),
        lengths=tuple(len(data) for data in writer.jpegs),
        sizes=tuple(writer.sizes),
        others=others,
    )


class _Writer:
    """Collects what a batch consists of, and fills the index."""

    def __init__(self, index: npt.NDArray[np.int32], support: int) -> None:
        self._index, self._floats, self._support = index, index.view(np.float32), support
        self._pieces: list[tuple[int, npt.NDArray[np.uint8]]] = []
        self._end = index.nbytes
        self._decoded = 0  # bytes of the JPEGs' pixels so far; they come after the buffer
        self._coded_rows: list[tuple[int, int]] = []  # where an offset lacks the buffer's length
        self.jpegs: list[bytes] = []
        self.sizes: list[Size] = []
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
            self._decoded += -(-3 * width * height // 4) * 4
            self.jpegs.append(layer.data)
            self.sizes.append(layer.size)
        self._index[row, first : first + len(LAYER)] = *place, layer.x.length, layer.y.length
        if isinstance(layer, Codes) and layer.mask is not None:
            at = AT["foreground_mask"]
            self._index[row, at : at + 2] = self._add(layer.mask), layer.mask.shape[1]
        at = AT[f"{kind}_x_start"]
        self._floats[row, at : at + 4] = layer.x.start, layer.x.step, layer.y.start, layer.y.step
        needed = layer.x.length, layer.y.length, *(self._taps(axis.step) for axis in (layer.x, layer.y))
        self.most[kind] = Most(*map(max, self.most[kind], needed))

    def flat(self) -> Tensor:
        """Return the buffer; in a worker of a DataLoader in memory that it shares with its parent."""
        length = -(-self._end // 4) * 4
        for row, column in self._coded_rows:
            self._index[row, column] += length
        flat = _shared(length)
        whole = flat.numpy()
        whole[: self._index.nbytes] = self._index.reshape(-1).view(np.uint8)
        for start, piece in self._pieces:
            whole[start : start + piece.size].reshape(piece.shape)[...] = piece
        return flat

    def codes(self) -> Tensor | None:
        """Return the JPEGs, one after the other; None if there are none."""
        if not self.jpegs:
            return None
        codes = _shared(sum(map(len, self.jpegs)))
        whole, start = codes.numpy(), 0
        for data in self.jpegs:
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
