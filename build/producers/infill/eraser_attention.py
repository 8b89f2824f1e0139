"""The attention of Attentive Eraser: background tokens look at background tokens only.

The second half of the batch (the one which classifier-free guidance pushes towards) has the object's tokens taken
away as keys; in the first steps the object's own tokens look more evenly around, too. The first half is as ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch.nn import functional


class Tokens(NamedTuple):
    """A mask of the objects, as layers of one resolution use it.

    Attributes:
        keep: the keys which may be looked at, bool, n x 1 x 1 x tokens.
        factor: on the queries, n x 1 x tokens x 1.
    """

    keep: torch.Tensor
    factor: torch.Tensor

    @classmethod
    def of(cls, mask: torch.Tensor, reduction: int, suppression: float) -> Tokens:
        """Return the tokens of masks; one belongs to the object as soon as one of its pixels does.

        Args:
            mask: of the objects, n x 1 x height x width, 1 inside.
            reduction: pixels of a side that one token stands for.
            suppression: factor on the similarities of the object's tokens.
        """
        objects = functional.max_pool2d(mask.float(), reduction).flatten(1) > 0
        # With every key taken away softmax has nothing to share out, so such an image keeps them all.
        keep = ~objects | objects.all(1, keepdim=True)
        factor = torch.where(objects, suppression, 1.0)
        return cls(keep[:, None, None, :], factor[:, None, :, None])

    def unsuppressed(self) -> Tokens:
        """Return them with similarities as they are."""
        return Tokens(self.keep, torch.ones_like(self.factor))


@dataclass
class EraserState:
    """State that the processors of all layers share.

    Attributes:
        tokens: of the step that is being done, by the pixels of a side that one token stands for.
    """

    tokens: Mapping[int, Tokens] = field(default_factory=dict)


class AttentiveEraserProcessor:
    """Self-attention for layers of one resolution in a diffusers U-Net; a drop-in for its `AttnProcessor2_0`."""

    def __init__(self, state: EraserState, reduction: int) -> None:
        """Bind layers to the state.

        Args:
            state: shared by all layers.
            reduction: pixels of a side that one of their tokens stands for.
        """
        self.state = state
        self.reduction = reduction

    def __call__(self, attn: Any, hidden_states: torch.Tensor, **_: Any) -> torch.Tensor:
        """Attend; `hidden_states` is 2 n x tokens x channels: n images as they are, then n being erased."""
        query, key, value = (
            project(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        keep, factor = self.state.tokens[self.reduction]
        count = keep.shape[0]
        plain, erased = slice(None, count), slice(count, None)
        scaled = query[erased] * factor.to(query.dtype)
        output = torch.cat(
            [
                functional.scaled_dot_product_attention(query[plain], key[plain], value[plain]),
                functional.scaled_dot_product_attention(scaled, key[erased], value[erased], attn_mask=keep),
            ]
        )
        merged: torch.Tensor = attn.to_out[0](output.transpose(1, 2).flatten(2))
        result: torch.Tensor = attn.to_out[1](merged)
        return result


@contextlib.contextmanager
def erasing(unet: Any, processors: Sequence[AttentiveEraserProcessor]) -> Iterator[None]:
    """Let the self-attentions of a U-Net's upward half use processors inside; afterwards all is as before.

    Args:
        unet: of diffusers.
        processors: one for each of the upward blocks.
    """
    before = dict(unet.attn_processors)
    # By name: the order of the dictionary is not that of execution.
    chosen = {
        name: processors[int(name.split(".")[1])]
        for name in before
        if name.startswith("up_blocks.") and name.endswith(".attn1.processor")
    }
    try:
        unet.set_attn_processor({**before, **chosen})
        yield
    finally:
        unet.set_attn_processor(dict(before))  # a copy, because the call empties what it is given
