"""Bounds that are learned: critics of parts of the rows, each scored on the part that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fornet_hf.arguments import require
from fornet_hf.evaluation.answers.device import chosen_device
from fornet_hf.evaluation.independence.bounds import Reading, new_bound
from fornet_hf.evaluation.independence.configuration import EstimatorConfig
from fornet_hf.evaluation.independence.critics import new_critic
from fornet_hf.evaluation.independence.partners import Rows
from fornet_hf.evaluation.independence.parts import blocks, divided, members
from fornet_hf.evaluation.independence.training import scored, train
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Means, Value
from fornet_hf.recombination.draw.rng import generator

ALONE = "no other row of its group and part to compare with"
_LEAST = 10  # rows of a group for each part


class Estimate(NamedTuple):
    """A bound of the information of x and y.

    Attributes:
        value: in nats, with the interval of 95 % that follows from the rows, the critics as they are.
        scores: float64, one a row, in nats: its share in the bound, by a critic that did not learn from it; the
            higher, the more x and y of this row tell of each other. NaN: it was left out.
    """

    value: Value
    scores: Means


def estimate(
    x: Tensor | npt.NDArray[np.floating],
    y: Tensor | npt.NDArray[np.floating],
    config: EstimatorConfig,
    *,
    groups: Sequence[str] | Sequence[int] | None = None,
    sources: Sequence[str] | None = None,
    bootstrap: Bootstrap | None = None,
) -> Estimate:
    """Return a learned lower bound of the information of x and y; the same for the same seed, on a CPU.

    Args:
        x: floats, rows x ...: vectors, or images n x channels x height x width, about -1 to 1.
        y: likewise; row i belongs to row i of x.
        config: bound, critic, training.
        groups: of each row, e.g. its class: rows are only compared with those of their own group, so what the group
            alone tells of both does not count. None: all are one group.
        sources: source image of each row, for the interval. None: another one for each.
        bootstrap: of the interval; None: `Bootstrap()`.

    Raises:
        ConfigurationError: x and y differ in their number of rows, the largest group has fewer than ten times as
            many rows as there are folds, or torch has no such device.
    """
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    require(len(y) == len(x), "number of rows of y", len(y), f"{len(x)}, as of x")
    group = np.asarray([0] * len(x) if groups is None else groups)
    largest, least = max(map(len, members(group)), default=0), _LEAST * config.folds
    require(largest >= least, "size of the largest group", largest, f"{least} rows or more with {config.folds} folds")
    found = list(_read(x, y, config, group))
    rows, scores = np.concatenate([one for one, _ in found]), np.full(len(x), np.nan)
    scores[rows] = np.concatenate([reading.scores for _, reading in found])
    alone = len(x) - len(rows)
    value = (bootstrap or Bootstrap()).estimate(
        config.estimator,
        np.concatenate([reading.samples for _, reading in found]),
        [f"row {row}" if sources is None else sources[row] for row in rows.tolist()],
        new_bound(config).statistic,
        left_out={ALONE: alone} if alone else {},
    )
    return Estimate(value, scores)


def _read(x: Tensor, y: Tensor, config: EstimatorConfig, group: npt.NDArray[Any]) -> Iterator[tuple[Rows, Reading]]:
    """Yield the rows of each fold, and what the bound says of them."""
    device, rng = chosen_device(config.device), generator("independence", config.seed)

    def batches(blocks: Iterable[Rows]) -> Iterator[tuple[Tensor, Tensor]]:
        for block in blocks:
            rows = torch.from_numpy(block)
            yield x[rows].to(device, torch.float32), y[rows].to(device, torch.float32)

    for fold, (learned, kept, rest) in enumerate(divided(members(group), config.folds, rng)):
        critic = new_critic(config.critic, x, y, config.width, config.seed + fold).to(device)
        stopping = list(batches(blocks(members(group, kept), config.batch, rng)))
        train(critic, batches(_endless(members(group, learned), config.batch, rng)), stopping, config)
        judged = blocks(members(group, rest), config.batch, rng)
        if judged:
            yield np.concatenate(judged), new_bound(config).read(scored(critic, batches(judged), config))


def _endless(groups: list[Rows], size: int, rng: np.random.Generator) -> Iterator[Rows]:
    while True:
        yield from blocks(groups, size, rng)
