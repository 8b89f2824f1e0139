"""A check of the values that networks give."""

from __future__ import annotations

import torch

from fornet_hf.errors import ConfigurationError, explain


def finite(values: torch.Tensor, precision: str) -> torch.Tensor:
    """Return the values that a network gave.

    Args:
        values: of any shape and type.
        precision: of the network, as a `Placement` names it.

    Raises:
        ConfigurationError: some are not finite, as may be in float16.
    """
    if not values.isfinite().all():
        then = "Give --precision bfloat16, or float32; else the weights are damaged."
        raise ConfigurationError(explain("the network's values overflow", found=precision, then=then))
    return values
