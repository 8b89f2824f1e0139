"""Named tensors: their digest, their files, and whether they fit a network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import atomic_path

if TYPE_CHECKING:
    import torch

Weights = Mapping[str, "torch.Tensor"]


def digest(weights: Mapping[str, Any]) -> str:
    """Return a SHA-256: of name, dtype, shape and bytes of each tensor, sorted by name. Empty if there are none.

    It does not depend on the file that they come from. Quantised tensors count by the numbers that they stand for,
    those in tuples and lists by their places, and what else a state_dict may hold not at all.
    """
    import torch

    result = hashlib.sha256()
    for name, value in sorted(_tensors(weights.items()), key=lambda one: one[0]):
        tensor = (value.dequantize() if getattr(value, "is_quantized", False) else value.detach()).cpu().contiguous()
        result.update(f"{name} {value.dtype} {tuple(tensor.shape)}\n".encode())
        result.update(tensor.flatten().view(torch.uint8).numpy().data)
    return result.hexdigest() if weights else ""


def _tensors(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    for name, value in named:
        if isinstance(value, torch.Tensor):
            yield name, value
        elif isinstance(value, (tuple, list)):
            yield from _tensors((f"{name}.{place}", one) for place, one in enumerate(value))


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """Return the tensors in a file of safetensors.

    Raises:
        ConfigurationError: it is none, or not whole.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(file))
    except SafetensorError as error:
        message = explain(f"{file} is damaged", found=error, then="Fetch or save it again.")
        raise ConfigurationError(message) from error


def write_tensors(file: Path, weights: Weights) -> None:
    """Write tensors as safetensors, the whole file or nothing; one with several names is written for each."""
    from safetensors.torch import save_file

    with atomic_path(file) as temporary:
        save_file({name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights.items()}, temporary)


def check_fit(weights: Weights, own: Weights, place: Path, then: str) -> None:
    """Raise ConfigurationError unless there are tensors of the same names and shapes as a network's own.

    Args:
        weights: from a file.
        own: those that the network needs.
        place: of the file, for the message.
        then: what to do about it, likewise.
    """
    faults = {
        "keys of no layer": sorted(set(weights) - set(own)),
        "layers without weights": sorted(set(own) - set(weights)),
        "other shapes": [
            f"{name} {tuple(weights[name].shape)} for {tuple(own[name].shape)}"
            for name in own
            if name in weights and weights[name].shape != own[name].shape
        ],
    }
    if any(faults.values()):
        found = "; ".join(f"{len(names)} {what}: {_few(names)}" for what, names in faults.items() if names)
        raise ConfigurationError(explain(f"{place} does not fit the network", found=found, then=then))


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
