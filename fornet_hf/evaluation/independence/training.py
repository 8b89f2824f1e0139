"""Training of a critic, and its scores of rows that it did not learn from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from fornet_hf.evaluation.independence.bounds import new_bound
from fornet_hf.evaluation.independence.configuration import EstimatorConfig
from fornet_hf.evaluation.independence.critics import Critic
from fornet_hf.evaluation.statistics.values import Means

Batches = Iterator[tuple[Tensor, Tensor]]
_STEEPEST = 1.0  # norm of a gradient


def train(critic: Critic, batches: Batches, kept: Callable[[], Batches], config: EstimatorConfig) -> None:
    """Train a critic until the bound of the pairs kept for this no longer rises; it keeps its best weights.

    These may be those that it came with: where nothing is to be learned it stays at 0 for all pairs.

    Args:
        critic: trained in place.
        batches: yields x and y, rows that belong together, on the critic's device; as many as there are steps.
        kept: yields pairs that are in none of `batches`, in each call the same.
        config: its bound, steps, rate, every and patience count.
    """
    bound = new_bound(config)
    optimiser = torch.optim.Adam(critic.parameters(), config.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.steps)
    best, weights, looks = held_out(critic, kept(), config), _weights(critic), 0
    for step in range(1, config.steps + 1):
        x, y = next(batches)
        optimiser.zero_grad()
        bound.loss(critic.shifted(x, y, shifts(len(x), config.others))).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(critic.parameters(), _STEEPEST)
        optimiser.step()
        schedule.step()
        if step % config.every and step < config.steps:
            continue
        value, looks = held_out(critic, kept(), config), looks + 1
        if value > best:
            best, weights, looks = value, _weights(critic), 0
        if looks == config.patience:
            break
    critic.load_state_dict(weights)


def held_out(critic: Critic, batches: Batches, config: EstimatorConfig) -> float:
    """Return the bound of these pairs, in nats."""
    return float(new_bound(config).read(scored(critic, batches, config)).scores.mean())


@torch.no_grad()
def scored(critic: Critic, batches: Batches, config: EstimatorConfig) -> Means:
    """Return the critic's scores of pairs: float64, rows x (1 + others), first of those that belong together.

    Rows of a batch that has fewer others than another one end with NaN.
    """
    found = [critic.shifted(x, y, shifts(len(x), config.others)).double().cpu().numpy() for x, y in batches]
    width = max(scores.shape[1] for scores in found)
    ends = [((0, 0), (0, width - scores.shape[1])) for scores in found]
    return np.concatenate(
        [np.pad(scores, end, constant_values=np.nan) for scores, end in zip(found, ends, strict=True)]
    )


def shifts(rows: int, others: int | None) -> range:
    """Return shifts of y that pair each row with itself and then with others, as many as there are and asked for."""
    return range(min(rows, rows if others is None else others + 1))


def _weights(critic: Critic) -> dict[str, Tensor]:
    return copy.deepcopy(critic.state_dict())
