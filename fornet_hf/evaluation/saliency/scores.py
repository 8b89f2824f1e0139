"""The number that saliency explains: the logit of one class for each image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, explain

if TYPE_CHECKING:
    import torch


def chosen(logits: torch.Tensor, candidates: torch.Tensor | None) -> torch.Tensor:
    """Return the number of the highest output (int64, n) among those that each image may choose from.

    Args:
        logits: n x outputs.
        candidates: bool, n x outputs, one or more for each image: the outputs of a class; None: all of them, so that
            the prediction is explained.

    Raises:
        ConfigurationError: candidates are of another number of outputs.
    """
    if candidates is not None:
        if candidates.shape != logits.shape:
            found, allowed = tuple(logits.shape), " x ".join(map(str, candidates.shape))
            raise ConfigurationError(explain("other outputs than expected", found=found, allowed=allowed))
        logits = logits.masked_fill(~candidates, float("-inf"))
    return logits.argmax(1)


def scores(logits: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    """Return the logits (n) of one output for each image."""
    return logits.gather(1, outputs[:, None])[:, 0]


def sound(logits: torch.Tensor) -> torch.Tensor:
    """Return for which images (bool, n) the logits are numbers."""
    return logits.detach().logsumexp(1).isfinite()


@contextmanager
def frozen(network: Any) -> Iterator[None]:
    """Keep a network in evaluation mode and its weights without gradients, which would only cost memory."""
    modules = {module: module.training for module in network.modules()} if hasattr(network, "modules") else {}
    weights = [one for one in network.parameters() if one.requires_grad] if hasattr(network, "parameters") else []
    try:
        for module in modules:
            module.training = False
        for weight in weights:
            weight.requires_grad_(requires_grad=False)
        yield
    finally:
        for module, training in modules.items():
            module.training = training
        for weight in weights:
            weight.requires_grad_(requires_grad=True)
