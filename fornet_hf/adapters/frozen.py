"""Statistics of batches that do not move: their layers stay in evaluation mode while the network is trained."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import nn


def with_statistics(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield name and module of each layer that keeps a running variance, as batch normalisation does."""
    for name, module in network.named_modules():
        if getattr(module, "running_var", None) is not None:
            yield name, module


def freeze(network: nn.Module) -> None:
    """Keep layers with statistics in evaluation mode, whatever `network.train()` says; copies of it do likewise."""
    for _, module in with_statistics(network):
        vars(module)["train"] = partial(_still, module)  # copies and pickles have their own, as of no closure
        module.eval()


def thaw(network: nn.Module) -> None:
    """Undo `freeze`."""
    for _, module in with_statistics(network):
        vars(module).pop("train", None)


def _still(module: nn.Module, mode: bool = True) -> nn.Module:  # noqa: FBT001, ARG001
    """Stand in for `train` of a module."""
    return type(module).train(module, mode=False)
