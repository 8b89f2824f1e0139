"""Independence of layers by a distribution that is learned beside them."""

from __future__ import annotations

import torch
from torch import nn
from torch.func import functional_call

from fornet_hf.arguments import require
from producers.layers.composition import Layers
from producers.layers.independence import pairs
from producers.layers.networks.modulated import Conv, activated

KINDS = ("laplace", "gaussian")


class LearnedBound(nn.Module):
    """The bound of `independence`, for distributions of seen pixels that two small networks predict of hidden ones.

    The likelihood is made large in the discriminator's phase, the bound small in the generator's (Cheng et al.,
    "CLUB", ICML 2020, algorithm 1).

    Args:
        kind: of the distribution: `laplace`, or `gaussian`.
        width: channels of the networks.

    Raises:
        ConfigurationError: there is no such kind.
    """

    def __init__(self, kind: str = "laplace", width: int = 64) -> None:
        super().__init__()
        require(kind in KINDS, "the kind of a learned bound", kind, ", ".join(KINDS))
        self.kind = kind
        self.networks = nn.ModuleList(_Predictor(width) for _ in range(2))

    def likelihood_loss(self, layers: Layers) -> torch.Tensor:
        """Return the mean negative log-likelihood of seen pixels, but for a constant, summed over both pairs.

        Its gradient reaches the weights alone.
        """
        losses = []
        still = Layers(*(one.detach() for one in layers))
        for network, (x, y) in zip(self.networks, pairs(still), strict=True):
            mean, scale = network(x)
            losses.append(-self._likelihood(mean, scale, y))
        return torch.stack(losses).sum()

    def bound(self, layers: Layers, order: torch.Tensor) -> torch.Tensor:
        """Return `mean log q(y_n | x_n) - mean log q(y_n | x_order(n))`, averaged over pixels, of both pairs.

        Its gradient reaches the layers, as that of `laplace`, and no weights.

        Args:
            layers: of n images, not shifted.
            order: int64, n: a permutation, drawn anew for each batch.
        """
        bounds = []
        for network, (x, y) in zip(self.networks, pairs(layers), strict=True):
            mean, scale = functional_call(network, _still(network), (x,))
            bounds.append(self._likelihood(mean, scale, y) - self._likelihood(mean[order], scale[order], y))
        return torch.stack(bounds).sum()

    def _likelihood(self, mean: torch.Tensor, scale: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """Return the mean log-likelihood of values, but for a constant; scales are logarithms."""
        far = (values - mean) * torch.exp(-scale)
        return -((far.abs() if self.kind == "laplace" else far.square() / 2) + scale).mean()


class _Predictor(nn.Module):
    """Four convolutions that give the mean of each pixel's colours, and the logarithm of its scale, -1 to 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Conv(3, width), Conv(width, width), Conv(width, width)])
        self.last = Conv(width, 6)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        for layer in self.layers:
            images = activated(layer(images))
        mean, scale = self.last(images).float().chunk(2, 1)
        return mean, torch.tanh(scale)


def _still(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: one.detach() for name, one in network.named_parameters()}
