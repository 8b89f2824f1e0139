"""A U-Net whose two halves of a batch are alike until the upward blocks: what comes before is done once.

Classifier-free guidance gives a network each image twice. Attentive Eraser gives both the same prompt, and they
differ by the self-attention of the upward blocks only. So the downward and middle blocks see one half, and the
upward ones get what these make twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch

Call = tuple[tuple[Any, ...], dict[str, Any]]


@contextlib.contextmanager
def shared_halves(unet: Any) -> Iterator[None]:
    """Let a U-Net do once what is alike for both halves of its batch; afterwards all is as before.

    Args:
        unet: of diffusers, called with n images and then the same n again, alike in every argument. Its answer is
            for all 2 n, the same as ever, but it may differ by what sums in another order do.
    """
    first, *others = unet.up_blocks
    hooks = [
        unet.register_forward_pre_hook(_first_half, with_kwargs=True),
        first.register_forward_pre_hook(_both_halves, with_kwargs=True),
        # What they get from below is of both halves already.
        *(block.register_forward_pre_hook(_both_halves_of_the_rest, with_kwargs=True) for block in others),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _first_half(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Call:
    return _mapped(_halved, given), _mapped(_halved, named)


def _both_halves(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Call:
    return _mapped(_doubled, given), _mapped(_doubled, named)


def _both_halves_of_the_rest(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Call:
    return given, {**_mapped(_doubled, named), "hidden_states": named["hidden_states"]}


def _halved(value: torch.Tensor) -> torch.Tensor:
    return value[: len(value) // 2] if value.dim() > 0 and len(value) > 1 else value


def _doubled(value: torch.Tensor) -> torch.Tensor:
    return torch.cat([value, value])


def _mapped(change: Callable[[torch.Tensor], torch.Tensor], value: Any) -> Any:
    """Return arguments with all tensors in them changed, those in dictionaries and tuples, too."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: _mapped(change, one) for name, one in value.items()}
    return tuple(_mapped(change, one) for one in value) if isinstance(value, tuple) else value
