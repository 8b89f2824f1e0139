"""A batch of images that are yet to be composed: one flat buffer, and an index that says what lies where in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.draw.composition import Size

WHOLE = ("flip", "pasted", "left", "top", "width", "height")
"""Columns of an image's index, int32: mirrored; the object is pasted; its place on the output, pixels."""
LAYER = ("offset", "row", "pixel", "channel", "columns", "rows")
"""Columns of a layer's index, int32: its first byte; bytes from a row, pixel or channel to the next; its size."""
FLOATS = ("x_start", "x_step", "y_start", "y_step")
"""Columns of a layer's axes, float32; see `layers.Axis`."""
MASK = ("mask", "mask_row")
"""Columns of packed bits, int32: the first byte, and the bytes of a row, 0 where the mask is the 4th channel."""
HALVES = ("x_half", "y_half")
"""Columns of the feather, float32; see `layers.Deferred`."""
COLUMNS = (
    *WHOLE,
    *(f"background_{name}" for name in (*LAYER, *FLOATS)),
    *(f"foreground_{name}" for name in (*LAYER, *FLOATS, *MASK)),
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


class Code(NamedTuple):
    """A JPEG of a batch.

    Attributes:
        image: number of its image in the batch.
        layer: "background" or "foreground".
        length: bytes.
        size: width and height, pixels.
    """

    image: int
    layer: str
    length: int
    size: Size


@dataclass(frozen=True, eq=False, repr=False)
class Batch:
    """Images that are yet to be composed, in one buffer. `fornet_hf.collate` makes it, a `Compositor` composes it.

    DataLoader (`pin_memory=True`), Lightning and accelerate find its `pin_memory` and `to`, and call them.

    Attributes:
        labels: as the loader gives them: a tensor, int64, where they are numbers.
        flat: uint8; the index (int32 and float32, a row of `COLUMNS` an image), then pixels and masks.
        columns: the examples' further columns by name, such as "composition" and those of `keep`.
        count: images; also `len(batch)`.
        output: width and height of each image, pixels.
        with_masks: whether the masks of the objects are wanted.
        background: see `Most`.
        foreground: see `Most`.
        place: width and height of the largest place of a foreground.
        interpolation: "bilinear" or "bicubic".
        codes: uint8, on the CPU: JPEGs one after the other; None: all is decoded.
        jpegs: what they are.
    """

    labels: Any
    flat: Tensor
    columns: dict[str, Any]
    count: int
    output: Size
    with_masks: bool
    background: Most
    foreground: Most
    place: Size
    interpolation: str
    codes: Tensor | None = None
    jpegs: tuple[Code, ...] = ()

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        size = sum(part.nbytes for part in (self.flat, self.codes) if part is not None)
        return f"Batch({self.count} images of {self.output}, {size} bytes on {self.device})"

    @property
    def device(self) -> torch.device:
        """Return where the buffer is."""
        return self.flat.device

    def index(self) -> tuple[Tensor, Tensor]:
        """Return the index as int32 and as float32, images x `COLUMNS`: two views of the same memory."""
        index = self.flat[: self.count * len(COLUMNS) * 4]
        return index.view(torch.int32).view(self.count, -1), index.view(torch.float32).view(self.count, -1)

    def to(self, device: torch.device | str | int, *, non_blocking: bool = False) -> Batch:
        """Return it on another device, all tensors but the JPEGs: their decoders read from the CPU's memory."""

        def moved(value: Any) -> Any:
            return value.to(device, non_blocking=non_blocking) if isinstance(value, Tensor) else value

        columns = {name: moved(value) for name, value in self.columns.items()}
        return replace(self, flat=moved(self.flat), labels=moved(self.labels), columns=columns)

    def pin_memory(self, device: torch.device | str | None = None) -> Batch:
        """Return it in page-locked memory, from which it goes to a GPU without waiting."""
        del device  # which torch passes on; it is always the current one

        def pinned(value: Any) -> Any:
            return value.pin_memory() if isinstance(value, Tensor) else value

        columns = {name: pinned(value) for name, value in self.columns.items()}
        return replace(self, flat=pinned(self.flat), labels=pinned(self.labels), columns=columns)


def check_batch(batch: object) -> None:
    """Raise ConfigurationError if this is no `Batch`."""
    if not isinstance(batch, Batch):
        what, then = "this batch is not to be composed", "Give Recombine defer=, or leave the Compositor out."
        allowed = "what fornet_hf.collate makes of examples with defer="
        raise ConfigurationError(explain(what, found=type(batch).__name__, allowed=allowed, then=then))
