"""Images as torch tensors, and batches of examples for a DataLoader. Only this module needs torch."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from fornet_hf.errors import INSTALL, ConfigurationError, MissingDependencyError, explain
from fornet_hf.recombination.device.layers import Deferred
from fornet_hf.recombination.pixels.quads import quads_of

if TYPE_CHECKING:
    from torch import Tensor


def is_tensor(value: object) -> bool:
    """Return whether it is a torch tensor; torch is not loaded for that."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def mask_tensor(mask: Image.Image) -> Tensor:
    """Return a mask (mode "L") as uint8 tensor of 1 x height x width, 0 to 255."""
    tensor: Tensor = importlib.import_module("torch").from_numpy(np.array(mask)[None])
    return tensor


def to_tensor(image: Image.Image) -> Tensor:
    """Return an image as float32 tensor of 3 x height x width, 0 to 1: `Recombine(ds, transform=to_tensor)`.

    The same as torchvision's `ToTensor` gives for RGB, in two thirds of its time.

    Raises:
        MissingDependencyError: torch is not installed.

    Example:
        >>> import fornet_hf
        >>> from PIL import Image
        >>> fornet_hf.to_tensor(Image.new("RGB", (4, 2), "red")).shape
        torch.Size([3, 2, 4])
    """
    return to_uint8(image).float().div_(255)


def to_uint8(image: Image.Image) -> Tensor:
    """Return an image as uint8 tensor of 3 x height x width, 0 to 255: `Recombine(ds, transform=to_uint8)`.

    The same as torchvision's `PILToTensor` gives for RGB. A batch of bytes is a quarter of one of floats, to make, to
    hand from worker to worker and to move to the device; divide and normalise there:

        images = (batch["image"].to(device).float() / 255 - mean) / std

    Raises:
        MissingDependencyError: torch is not installed.

    Example:
        >>> import fornet_hf
        >>> from PIL import Image
        >>> fornet_hf.to_uint8(Image.new("RGB", (4, 2), "red"))[:, 0, 0]
        tensor([255,   0,   0], dtype=torch.uint8)
    """
    torch = _torch()
    tensor: Tensor = torch.empty((3, image.height, image.width), dtype=torch.uint8)
    # Shifting whole pixels is what processors do for many at once; gathering every fourth byte is not.
    pixels = quads_of(image if image.mode == "RGB" else image.convert("RGB")).view("<u4")[..., 0]
    for channel, plane in enumerate(tensor.numpy()):
        plane[...] = pixels >> (8 * channel)
    return tensor


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise MissingDependencyError(explain("tensors need torch", then=INSTALL)) from error


def collate(examples: Sequence[Any]) -> Any:
    """Return one batch of examples: `DataLoader(ds, collate_fn=fornet_hf.collate)`.

    Tensors, arrays and numbers become tensors, as by torch's `default_collate`. All else stays a list with one item
    an example: images that are no tensors, compositions (of which `Composition.from_json` makes compositions), keys.

    Args:
        examples: dicts, as of `Recombine`, or tuples, as of `ForNetDataset`; one or more, all alike.

    Returns: a dict of columns, or a tuple of them; of deferred images (`Recombine(defer=)`) a `Batch`, whose columns
        have the names that examples give them, or "item 2" and so on.

    Raises:
        ConfigurationError: no examples, or tensors of different shapes.
        MissingDependencyError: torch is not installed.

    Example:
        >>> import fornet_hf
        >>> fornet_hf.collate([{"label": 3, "key": "cat_1"}, {"label": 5, "key": "dog_7"}])
        {'label': tensor([3, 5]), 'key': ['cat_1', 'dog_7']}
    """
    first = examples[0] if examples else None
    if isinstance(first, Mapping):
        if isinstance(first.get("image"), Deferred):
            return _packed(list(first), [example.values() for example in examples])
        return {name: _column(name, [example[name] for example in examples]) for name in first}
    if isinstance(first, (tuple, list)):
        if first and isinstance(first[0], Deferred):
            return _packed(["image", "label", *(f"item {n}" for n in range(2, len(first)))], examples)
        return tuple(_column(f"item {n}", list(values)) for n, values in enumerate(zip(*examples, strict=True)))
    found, allowed = type(first).__name__, "one or more dicts or tuples"
    raise ConfigurationError(explain("these are no examples", found=found, allowed=allowed))


def _packed(names: Sequence[str], examples: Sequence[Iterable[Any]]) -> Any:
    """Return the `Batch` of examples whose first values are deferred images."""
    images, *others = (list(values) for values in zip(*examples, strict=True))
    columns = {name: _column(name, values) for name, values in zip(names[1:], others, strict=True)}
    pack = importlib.import_module("fornet_hf.recombination.device.packing").pack
    return pack(images, columns.pop("label", None), columns)


def _column(name: str, values: list[Any]) -> Any:
    """Return the values of one column, as a tensor where they are numbers."""
    first = values[0]
    views = isinstance(first, (list, tuple)) and bool(first) and hasattr(first[0], "shape")  # several of one image
    if not views and not isinstance(first, (int, float, np.generic)) and not hasattr(first, "shape"):
        return values
    shapes = sorted({tuple(value.shape) for value in values if hasattr(value, "shape")})
    if len(shapes) > 1:
        what, then = f"examples of one batch differ in the shape of {name}", "Crop them to one size: crop=224, say."
        raise ConfigurationError(explain(what, found=shapes, then=then))
    return _torch().utils.data.default_collate(values)
