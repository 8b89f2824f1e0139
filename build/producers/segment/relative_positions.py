"""Attention with relative positions in the image encoder of `segment-anything`, by one fused kernel.

To the product of a query and a key, which lie at rows y, y' and columns x, x' of a grid, comes the query's product
with h(y - y') + w(x - x'), two learned tables: the decomposed relative positions of Li et al., "MViTv2: Improved
Multiscale Vision Transformers for Classification and Detection", CVPR 2022. The package's own code keeps all products
and their softmax, two matrices of 4,096 x 4,096 for each head of its largest layers, and looks the tables up anew for
each batch. Here the positions are the mask that scaled_dot_product_attention adds.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional


class BiasedAttention(nn.Module):
    """The same function as a layer of the package, with its weights."""

    def __init__(self, layer: Any) -> None:
        """Take the weights of a `segment_anything.modeling.image_encoder.Attention` with relative positions."""
        super().__init__()
        self.heads: int = layer.num_heads
        self.qkv: nn.Module = layer.qkv
        self.proj: nn.Module = layer.proj
        self.register_buffer("rows", _table(layer.rel_pos_h), persistent=False)
        self.register_buffer("columns", _table(layer.rel_pos_w), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return n x height x width x channels for the same; the grid is the one that the layer was made for."""
        height, width = values.shape[1:3]
        mixed = self.qkv(values).reshape(len(values), height * width, 3, self.heads, -1)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        grid = query.reshape(*query.shape[:2], height, width, -1)
        rows = torch.einsum("nayxc,ykc->nayxk", grid, self.rows)
        columns = torch.einsum("nayxc,xkc->nayxk", grid, self.columns)
        bias = (rows[..., :, None] + columns[..., None, :]).flatten(-2).flatten(2, 3)
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        result: torch.Tensor = self.proj(found.transpose(1, 2).reshape(values.shape))
        return result


def fuse(encoder: Any) -> None:
    """Give the blocks of an `ImageEncoderViT` such layers in place of those with relative positions."""
    for block in encoder.blocks:
        if block.attn.use_rel_pos:
            block.attn = BiasedAttention(block.attn)


def _table(differences: torch.Tensor) -> torch.Tensor:
    """Return for each pair of n places the values of their difference: n x n x channels, of (2n - 1) x channels."""
    places = torch.arange((len(differences) + 1) // 2)
    return differences.detach()[places[:, None] - places + len(places) - 1]
