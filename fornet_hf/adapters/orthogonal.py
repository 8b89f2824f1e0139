"""Orthogonal fine-tuning: weights are rotated, not their inputs.

y = f(x, W R) for a convolution or linear layer f, with W as a matrix of out x columns (input channels / groups *
kernel height * width) and R block-diagonal. Each block is the Cayley transform (I - Q)(I + Q)^-1 of a skew-symmetric
Q: orthogonal for any Q, and the identity for Q = 0 (Qiu et al., arXiv 2306.07280). Strides, padding, dilation and
groups stay those of the layer, so they cannot go wrong; and merging is nothing but keeping W R.

peft 0.21 rotates inputs: patches of convolutions that overlap are added up, and inputs of linear layers that have
four dimensions, as in Swin and ConvNeXt, are taken for images. Its dropout of blocks is never called.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize


class Rotation(nn.Module):
    """A rotation of the columns of a weight, as a parametrisation of torch.

    Its one parameter, `oft_skew`, holds what is above the diagonal of each Q: blocks x size * (size - 1) / 2.
    """

    def __init__(self, columns: int, blocks: int, dropout: float = 0.0) -> None:
        """Begin with the identity.

        Args:
            columns: of the weight as a matrix.
            blocks: of the rotation; they divide the columns.
            dropout: share of the blocks that are the identity in a step of training, 0 to below 1.
        """
        super().__init__()
        self.size, self.dropout = columns // blocks, dropout
        self.oft_skew = nn.Parameter(torch.zeros(blocks, self.size * (self.size - 1) // 2))

    def blocks(self) -> torch.Tensor:
        """Return R's blocks: blocks x size x size, in float32 at least."""
        skew = _in_float32(self.oft_skew)
        if self.training and self.dropout:
            skew = skew * (functional.dropout(torch.ones_like(skew[:, :1]), self.dropout) > 0)
        rows, columns = torch.triu_indices(self.size, self.size, 1, device=skew.device)
        upper = skew.new_zeros(len(skew), self.size, self.size)
        upper[:, rows, columns] = skew
        q = upper - upper.mT
        identity = torch.eye(self.size, dtype=q.dtype, device=q.device)
        rotation: torch.Tensor = torch.linalg.solve(identity + q, identity - q)  # the two factors commute
        return rotation

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return W R, of shape and dtype of W, whatever precision autocast has."""
        with torch.autocast(weight.device.type, enabled=False):
            blocks = self.blocks()
            columns = _in_float32(weight).reshape(len(weight), *blocks.shape[:2])
            return torch.einsum("obi,bij->obj", columns, blocks).reshape(weight.shape).to(weight.dtype)


def rotate(layer: nn.Module, blocks: int, dropout: float) -> None:
    """Give a layer's weight (out x ..., as many columns as blocks or a multiple) a rotation that is the identity."""
    weight: torch.Tensor = layer.get_parameter("weight")
    rotation = Rotation(weight[0].numel(), blocks, dropout).to(weight.device)
    parametrize.register_parametrization(layer, "weight", rotation)


def settle(network: nn.Module) -> None:
    """Replace all rotations by the weights that they make; copies of the network keep theirs."""
    layers: list[Any] = [module for module in network.modules() if parametrize.is_parametrized(module, "weight")]
    for layer in layers:
        if not isinstance(layer.parametrizations.weight[0], Rotation):
            continue
        layer.parametrizations.eval()  # else blocks would be left out, as in training
        needs_gradient = layer.parametrizations.weight.original.requires_grad
        weight = nn.Parameter(layer.weight.detach(), needs_gradient)
        # not remove_parametrizations, which takes the weight from the copies too, as they share a class
        layer.__class__ = parametrize.type_before_parametrizations(layer)
        del layer.parametrizations
        others = dict(layer.named_parameters(recurse=False))
        for name in others:
            delattr(layer, name)
        for name, parameter in {"weight": weight, **others}.items():  # in the order in which they were
            layer.register_parameter(name, parameter)


def _in_float32(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
