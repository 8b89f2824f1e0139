"""`collate`: batches of examples for a DataLoader, whatever an example holds."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fornet_hf.errors import INSTALL, ConfigurationError, MissingDependencyError, explain


def collate(examples: Sequence[Any]) -> Any:
    """Return one batch of examples: `DataLoader(ds, collate_fn=fornet_hf.collate)`.

    Tensors, arrays and numbers become tensors, as by torch's `default_collate`. All else stays a list with one item
    an example: images that are no tensors, compositions (of which `Composition.from_json` makes compositions), keys.

    Args:
        examples: dicts, as of `Recombine`, or tuples, as of `ForNetDataset`; one or more, all alike.

    Returns: a dict of columns, or a tuple of them.

    Raises:
        ConfigurationError: no examples, or tensors of different shapes.
        MissingDependencyError: torch is not installed.
    """
    first = examples[0] if examples else None
    if isinstance(first, Mapping):
        return {name: _column(name, [example[name] for example in examples]) for name in first}
    if isinstance(first, (tuple, list)):
        return tuple(_column(f"item {n}", list(values)) for n, values in enumerate(zip(*examples, strict=True)))
    found, allowed = type(first).__name__, "one or more dicts or tuples"
    raise ConfigurationError(explain("these are no examples", found=found, allowed=allowed))


def _column(name: str, values: list[Any]) -> Any:
    """The values of one column, as a tensor where they are numbers."""
    first = values[0]
    views = isinstance(first, (list, tuple)) and bool(first) and hasattr(first[0], "shape")  # several of one image
    if not views and not isinstance(first, (int, float, np.generic)) and not hasattr(first, "shape"):
        return values
    shapes = sorted({tuple(value.shape) for value in values if hasattr(value, "shape")})
    if len(shapes) > 1:
        what, then = f"examples of one batch differ in the shape of {name}", "Crop them to one size: crop=224, say."
        raise ConfigurationError(explain(what, found=shapes, then=then))
    try:
        return importlib.import_module("torch.utils.data").default_collate(values)
    except ImportError as error:
        raise MissingDependencyError(explain("collate needs torch", then=INSTALL)) from error
