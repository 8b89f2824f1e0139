"""Critics: networks that score pairs, higher where x and y seem to belong together."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from fornet_hf.evaluation.independence.configuration import BILINEAR, CONCATENATED, IMAGES, SEPARABLE


class Critic(nn.Module):
    """A network that scores pairs: `critic(x, y)` is float, one number for row i of x with row i of y.

    The scores of a new critic are all 0, as if x and y were independent.
    """

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the score of each pair of rows."""
        raise NotImplementedError

    def shifted(self, x: Tensor, y: Tensor, shifts: Sequence[int]) -> Tensor:
        """Return the scores of row i of x with row i + shift of y, which begins again at its end: rows x shifts."""
        return torch.stack([self(x, y.roll(-shift, 0)) for shift in shifts], 1)


class Concatenated(Critic):
    """A perceptron with two hidden layers that looks at both vectors at once.

    Args:
        x, y: numbers in a row of each; rows of more than one axis are flattened.
        width: of the hidden layers.
    """

    def __init__(self, x: int, y: int, width: int) -> None:
        super().__init__()
        self.network = _perceptron(x + y, width, 1)
        _silence(self.network[-1])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the score of each pair of rows."""
        score: Tensor = self.network(torch.cat([x.flatten(1), y.flatten(1)], 1))[:, 0]
        return score


class Separable(Critic):
    """A product of what one perceptron says of x and another of y: f(x) g(y) + a(x) + b(y).

    It sees x and y apart, so the scores of all pairs of a batch cost hardly more than those of one pairing.

    Args:
        x, y: numbers in a row of each; rows of more than one axis are flattened.
        width: of the hidden layers.
        linear: f and g are linear, which makes the product bilinear: x W y + a(x) + b(y).
    """

    def __init__(self, x: int, y: int, width: int, *, linear: bool = False) -> None:
        super().__init__()
        features = min(width, x, y) if linear else max(1, width // 4)
        layers = _linear if linear else _perceptron
        self.f, self.g = layers(x, width, features), layers(y, width, features)
        self.a, self.b = _perceptron(x, width, 1), _perceptron(y, width, 1)
        for network in (self.g, self.a, self.b):
            _silence(network[-1])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the score of each pair of rows."""
        return self.shifted(x, y, [0])[:, 0]

    def shifted(self, x: Tensor, y: Tensor, shifts: Sequence[int]) -> Tensor:
        """Return the scores of row i of x with row i + shift of y: rows x shifts."""
        x, y = x.flatten(1), y.flatten(1)
        table: Tensor = self.f(x) @ self.g(y).T + self.a(x) + self.b(y).T
        rows = torch.arange(len(x), device=x.device)[:, None]
        return table.gather(1, (rows + torch.tensor(shifts, device=x.device)) % len(x))


class Images(Critic):
    """A small convolutional network that sees of y only what lies in the area that comes with x.

    It looks at both at once, so each place is compared with itself, and at the area's shape if x shows it.

    Args:
        x: channels of the one, n x channels x height x width; the last one is the area, 0 to 1, that y is multiplied
            by. So the area stays when the images are shuffled.
        y: channels of the other, of the same height and width.
        width: channels of the last two convolutions; the first two have half of them.
    """

    def __init__(self, x: int, y: int, width: int) -> None:
        super().__init__()
        sizes = (x + y, max(1, width // 2), max(1, width // 2), width, width)
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=1 if number == 0 else 2, padding=1), nn.SiLU()]
        self.network = nn.Sequential(*layers)
        self.last = nn.Linear(2 * width, 1)
        _silence(self.last)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the score of each pair of rows."""
        features = self.network(torch.cat([x, y * x[:, -1:]], 1)).flatten(2)
        score: Tensor = self.last(torch.cat([features.mean(2), features.amax(2)], 1))[:, 0]
        return score


def _perceptron(inputs: int, width: int, outputs: int) -> nn.Sequential:
    hidden = nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def _linear(inputs: int, width: int, outputs: int) -> nn.Sequential:  # noqa: ARG001
    return nn.Sequential(nn.Linear(inputs, outputs, bias=False))


def _silence(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


CRITICS: Mapping[str, Callable[[int, int, int], Critic]] = {
    SEPARABLE: Separable,
    BILINEAR: functools.partial(Separable, linear=True),
    CONCATENATED: Concatenated,
    IMAGES: Images,
}


def new_critic(kind: str, x: Tensor, y: Tensor, width: int, seed: int) -> Critic:
    """Return an untrained critic for tensors of these shapes: the same for the same seed.

    Args:
        kind: one of `CRITICS`.
        x: rows of the one.
        y: rows of the other.
        width: of its hidden layers.
        seed: of its weights.
    """
    of_x, of_y = (one.shape[1] if kind == IMAGES else one[0].numel() for one in (x, y))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CRITICS[kind](of_x, of_y, width)
