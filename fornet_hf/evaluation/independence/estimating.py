"""Bounds that are learned: critics of parts of the rows, each scored on the part that it did not learn from."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fornet_hf.arguments import require
from fornet_hf.evaluation.answers.device import chosen_device
from fornet_hf.evaluation.independence.bounds import Reading, new_bound
from fornet_hf.evaluation.independence.configuration import IMAGES, EstimatorConfig
from fornet_hf.evaluation.independence.critics import new_critic
from fornet_hf.evaluation.independence.partners import Rows
from fornet_hf.evaluation.independence.parts import blocks, divided, members
from fornet_hf.evaluation.independence.training import Batches, scored, train
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Means, Value
from fornet_hf.recombination.draw.rng import generator

ALONE = "no other row of its group and part to compare with"
_LEAST = 10  # rows of a group for each part


Groups = npt.NDArray[Any]


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
        x: floats, about -1 to 1, rows x ...; for the critic of images n x channels x height x width, the last
            channel being the area in which it sees y.
        y: likewise, but without an area; row i belongs to row i of x.
        config: bound, critic, training.
        groups: of each row, e.g. its class: rows are only compared with those of their own group, so what the group
            alone tells of both does not count. None: all are one group.
        sources: name of each row in the value's evidence, none twice: rows of one image would learn from each other.
        bootstrap: of the interval; None: `Bootstrap()`.

    Raises:
        ConfigurationError: the rows do not fit each other, the largest group has fewer than ten times as many rows
            as there are folds, or torch has no such device.
    """
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    names = [f"row {row}" for row in range(len(x))] if sources is None else sources
    group = np.asarray([0] * len(x) if groups is None else groups)
    _check(x, y, names, group, config)
    found = list(_read(x, y, group, config))
    rows, scores = np.concatenate([one for one, _ in found]), np.full(len(x), np.nan)
    scores[rows] = np.concatenate([reading.scores for _, reading in found])
    alone = len(x) - len(rows)
    value = (bootstrap or Bootstrap()).estimate(
        config.estimator,
        np.concatenate([reading.samples for _, reading in found]),
        [names[row] for row in rows],
        new_bound(config).statistic,
        left_out={ALONE: alone} if alone else {},
    )
    return Estimate(value, scores)


def _check(x: Tensor, y: Tensor, names: Sequence[str], group: Groups, config: EstimatorConfig) -> None:
    for name, of in (("y", y), ("sources", set(names)), ("groups", group)):
        require(len(of) == len(x), f"number of rows of {name}", len(of), f"{len(x)}, none twice, as of x")
    if config.critic == IMAGES:
        fits = x.ndim == y.ndim == 4 and x.shape[2:] == y.shape[2:]
        require(
            fits, "shape of images", f"{tuple(x.shape)}, {tuple(y.shape)}", "n x channels x height x width, alike"
        )
    largest, least = max(map(len, members(group)), default=0), _LEAST * config.folds
    require(largest >= least, "size of the largest group", largest, f"{least} rows or more with {config.folds} folds")


def _read(x: Tensor, y: Tensor, group: Groups, config: EstimatorConfig) -> Iterator[tuple[Rows, Reading]]:
    """Yield the rows of each fold, and what the bound says of them."""
    device, rng = chosen_device(config.device), generator("independence", config.seed)

    def drawn(rows: Rows) -> list[Rows]:
        return blocks(members(group, rows), config.batch, rng)

    def pairs(blocks: Iterable[Rows]) -> Batches:
        for block in blocks:
            rows = torch.from_numpy(block)
            yield x[rows].to(device, torch.float32), y[rows].to(device, torch.float32)

    for fold, (learned, kept, rest) in enumerate(divided(members(group), config.folds, rng)):
        critic = new_critic(config.critic, x, y, config.width, config.seed + fold).to(device)
        endless = (block for _ in itertools.count() for block in drawn(learned))
        train(critic, pairs(endless), functools.partial(pairs, drawn(kept)), config)
        judged = drawn(rest)
        if judged:
            yield np.concatenate(judged), new_bound(config).read(scored(critic, pairs(judged), config))
