"""Attention between an image and a short text, with the text's few tokens projected in place of the image's many.

An image of 800 x 1088 pixels has 18,000 tokens, a prompt a dozen. Products of matrices may be done in any order:
(V Q) K' = V (Q K') makes 48 products for a token of the image where the published order makes 1,024.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_REPLACED = "BiMultiHeadAttention"  # ends the name of the class in transformers, which has one for each model


class ShortTextAttention(nn.Module):
    """A stand-in for GroundingDINO's attention of image and text to each other, with its weights and its results.

    Attributes:
        original: the module that it stands for; it does the work where the text is too long for this to be faster.
    """

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.original = original

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        vision_attention_mask: torch.Tensor | None = None,
        text_attention_mask: torch.Tensor | None = None,
    ) -> Any:
        """Return what the image's tokens take from the text, and the text's from the image, each with None.

        Args:
            vision_features: of the image, n x tokens x channels.
            text_features: of the text, likewise.
            vision_attention_mask: whether a token is padding, n x tokens; None: none is.
            text_attention_mask: likewise.
        """
        ours, image, text = self.original, vision_features, text_features
        if ours.num_heads * text.shape[1] >= ours.embed_dim:
            return ours(image, text, vision_attention_mask, text_attention_mask)
        keys, values = (self._by_heads(each(text), -1) for each in (ours.text_proj, ours.values_text_proj))
        keys = keys * ours.scale
        asked = torch.einsum("nthd,hdc->nhtc", keys, self._by_heads(ours.vision_proj.weight, 0)).flatten(1, 2)
        level = torch.einsum("nthd,hd->nht", keys, self._by_heads(ours.vision_proj.bias, 0)).flatten(1)
        scores = torch.baddbmm(level[:, None], image, asked.mT)  # n x image's tokens x (heads * text's tokens)

        of_text = self._by_heads(scores, -1)
        if text_attention_mask is not None:
            of_text = of_text.masked_fill(text_attention_mask[:, None, None], -torch.inf)
        given = torch.einsum("nthd,chd->nhtc", values, self._by_heads(ours.out_vision_proj.weight, 1)).flatten(1, 2)
        to_image = torch.baddbmm(ours.out_vision_proj.bias, of_text.softmax(-1).flatten(2), given)

        of_image = scores.mT
        if vision_attention_mask is not None:
            of_image = of_image.masked_fill(vision_attention_mask[:, None], -torch.inf)
        seen = self._by_heads(torch.bmm(of_image.softmax(-1), image), 1)
        taken = torch.einsum("nhtc,hdc->nthd", seen, self._by_heads(ours.values_vision_proj.weight, 0)).flatten(2)
        return (to_image, None), (ours.out_text_proj(taken + ours.values_vision_proj.bias), None)

    def _by_heads(self, tensor: torch.Tensor, axis: int) -> torch.Tensor:
        return torch.unflatten(tensor, axis, (self.original.num_heads, -1))


def project_texts(network: nn.Module) -> None:
    """Put that module in the place of each one that it can stand for."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__.endswith(_REPLACED) and not isinstance(parent, ShortTextAttention):
                setattr(parent, name, ShortTextAttention(child))
