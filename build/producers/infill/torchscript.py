"""Programs of TorchScript: read from their files, quick with images of many sizes, out of memory as others are."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch


def loaded(path: Path, device: str, *, folded: bool) -> Any:
    """Return a program for inference.

    Args:
        path: of its file.
        device: where it runs.
        folded: whether its weights become constants, so that norms are folded into convolutions. One that torch
            cannot treat so serves as it is.
    """
    with _without_advice():
        network = torch.jit.load(str(path), map_location=device).eval()
        with contextlib.suppress(RuntimeError):
            return torch.jit.freeze(network) if folded else network
    return network


@contextlib.contextmanager
def unfused() -> Iterator[None]:
    """Let TorchScript run programs as they are inside: else it fits its kernels to each new size of images."""
    before = _fused_by([])
    try:
        yield
    finally:
        _fused_by(before)


def _fused_by(strategy: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Set the strategy, and return the one before."""
    with _without_advice():
        result: list[tuple[str, int]] = torch.jit.set_fusion_strategy(strategy)
        return result


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Keep torch from advising against TorchScript, which is the format of the weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@contextlib.contextmanager
def memory_errors() -> Iterator[None]:
    """Raise torch's error for memory that ran out, of which TorchScript makes a RuntimeError of the same text."""
    try:
        yield
    except RuntimeError as error:
        if "out of memory" not in str(error) or isinstance(error, torch.OutOfMemoryError):
            raise
        raise torch.OutOfMemoryError(str(error)) from error
