"""A moving average of the weights."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors: TypeAlias = tuple[torch.Tensor, ...] | list[torch.Tensor]


def moving_average(network: nn.Module, keep: float) -> AveragedModel:
    """Return a copy of a network; each `update_parameters(network)` moves it towards the network as it is then.

    The parameters that are trained are averaged, those of adapters too, so that averaged rotations are rotations; so
    are the statistics of BatchNorm. Integers are the network's.

    Args:
        network: adapters included.
        keep: share of the average that stays in a step. In step t it is at most (1 + t) / (10 + t), as in
            TensorFlow's ExponentialMovingAverage, so that short trainings have an average of their own.
    """

    def move(averaged: Tensors, current: Tensors, _steps: torch.Tensor | int) -> None:
        if not averaged[0].is_floating_point():  # counters, and indices such as Swin's, which rounding would spoil
            for mine, other in zip(averaged, current, strict=True):
                mine.copy_(other)
            return
        done = int(average.n_averaged)  # which is not on the GPU: nobody waits for it
        step: Any = get_ema_multi_avg_fn  # has no types
        step(min(keep, (1 + done) / (10 + done)))(averaged, current, done)

    average = AveragedModel(network, multi_avg_fn=move, use_buffers=True)
    return average
