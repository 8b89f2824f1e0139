"""The attention of Attentive Eraser: background tokens look at background tokens only.

The second half of the batch (the one which classifier-free guidance pushes towards) has the object's tokens taken
away as keys; in the first steps the object's own tokens look more evenly around, too. The first half is as ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional


@dataclass
class EraserState:
    """State that the processors of all layers share during a call of the pipeline.

    Attributes:
        step: the denoising step that is being done, from 0.
        masks: for each number of tokens, which of them belong to the object (bool, n x tokens).
    """

    step: int = 0
    masks: dict[int, torch.Tensor] = field(default_factory=dict)

    def begin(self, mask: torch.Tensor, reductions: tuple[int, ...]) -> None:
        """Start a call.

        Args:
            mask: of the objects, n x 1 x height x width, 1 inside.
            reductions: pixels of a side that one token stands for, one for each resolution of the network.
        """
        self.step = 0
        pooled = [functional.max_pool2d(mask.float(), reduction) for reduction in reductions]
        self.masks = {level[0].numel(): level.flatten(1) > 0 for level in pooled}


class AttentiveEraserProcessor:
    """Self-attention for one layer of a diffusers U-Net; a drop-in for its `AttnProcessor2_0`."""

    def __init__(self, state: EraserState, *, suppressed_steps: int = 9, suppression: float = 0.3) -> None:
        """Bind a layer to the state.

        Args:
            state: shared by all layers.
            suppressed_steps: the last step, counted from 0 and included, in which similarity is suppressed.
            suppression: factor on the object tokens' similarities in those steps.
        """
        self.state = state
        self.suppressed_steps = suppressed_steps
        self.suppression = suppression

    def __call__(self, attn: Any, hidden_states: torch.Tensor, **_: Any) -> torch.Tensor:
        """Attend; `hidden_states` is 2 n x tokens x channels: n images as they are, then n being erased."""
        query, key, value = (
            project(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        plain, erased = slice(None, len(query) // 2), slice(len(query) // 2, None)
        scaled, keep = self._suppressed(query[erased])
        output = torch.cat(
            [
                functional.scaled_dot_product_attention(query[plain], key[plain], value[plain]),
                functional.scaled_dot_product_attention(scaled, key[erased], value[erased], attn_mask=keep),
            ]
        )
        merged: torch.Tensor = attn.to_out[0](output.transpose(1, 2).flatten(2))
        result: torch.Tensor = attn.to_out[1](merged)
        return result

    def _suppressed(self, query: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return queries (n x heads x tokens x channels), and which keys they may look at (n x 1 x 1 x tokens)."""
        objects = self.state.masks[query.shape[2]]
        # With every key taken away softmax has nothing to share out, so such an image keeps them all.
        keep = ~objects | objects.all(1, keepdim=True)
        if self.state.step <= self.suppressed_steps:
            factor = torch.where(objects, self.suppression, 1.0).to(query.dtype)
            query = query * factor[:, None, :, None]
        return query, keep[:, None, None, :]


@contextlib.contextmanager
def erasing(unet: Any, processor: AttentiveEraserProcessor) -> Iterator[None]:
    """Let the self-attentions of a U-Net's upward half use this processor inside; afterwards all is as before."""
    before = dict(unet.attn_processors)
    # By name: the order of the dictionary is not that of execution.
    chosen = {
        name: processor for name in before if name.startswith("up_blocks.") and name.endswith(".attn1.processor")
    }
    try:
        unet.set_attn_processor({**before, **chosen})
        yield
    finally:
        unet.set_attn_processor(dict(before))  # a copy, because the call empties what it is given
