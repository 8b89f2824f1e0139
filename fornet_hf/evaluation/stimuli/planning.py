"""Plans: all that was drawn for one condition of one item, or the reason for showing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import Condition, Noise
from fornet_hf.evaluation.stimuli.frame import seen_part
from fornet_hf.format.masks import Box
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.draw.rng import example_names, generator
from fornet_hf.recombination.draw.sampling import BackgroundShape, Choice, arrange, choose
from fornet_hf.recombination.pixels.decoding import size_of
from fornet_hf.recombination.pixels.parts import Parts
from fornet_hf.recombination.pools.arrow import BackgroundPool

_ORIGINAL = RecombinationConfig(evaluation=True)


class Plan(NamedTuple):
    """One condition of one item.

    Attributes:
        composition: on the canvas: the whole background, or its `part`.
        size: of the whole background, pixels.
        part: of the background, that is the canvas; None: all of it.
        noise: on the original image.
    """

    composition: Composition
    size: tuple[int, int]
    part: Box | None = None
    noise: Noise | None = None


class Planner:
    """Draws for one item: numbers and backgrounds are the same in all conditions that name the same ones.

    Args:
        key: of the row.
        label: class of the row, 0 or more.
        parts: of the row.
        pools: by `pruning_ratio`, for conditions with other backgrounds than the row's own.
        labels: classes of the pools' rows.
        seed: of the draws.
        draw: number of the draw, from 0; the draws are those of a recombination in the epoch of that number.
    """

    def __init__(
        self,
        key: str,
        label: int,
        parts: Parts,
        pools: Mapping[float, BackgroundPool],
        labels: npt.NDArray[np.int64],
        *,
        seed: int,
        draw: int,
    ) -> None:
        self.names = example_names(seed, draw, key)
        self._label, self._parts, self._pools, self._labels = label, parts, pools, labels
        self._shape = None if parts.cutout is None else parts.cutout.shape
        self._choices: dict[tuple[str, float, int], Choice] = {}

    def plan(self, condition: Condition, preprocessing: Preprocessing) -> Plan | str:
        """Return the plan for a condition, or the reason for showing nothing."""
        config = condition.recombination
        reason = self._lacking(condition)
        if reason:
            return reason
        if config is None:
            choice = self._choose(_ORIGINAL, original=1.0)
            size = choice.background.width, choice.background.height
            return Plan(arrange(_ORIGINAL, choice, None), size, noise=condition.noise)
        key = config.background_combination, config.pruning_ratio, config.fg_bates_n
        if key not in self._choices:
            self._choices[key] = self._choose(config)
        choice = self._choices[key]
        background = choice.background
        if config.background_combination == "same" and self._labels[background.row] != self._label:
            return "no background of its class"
        return self._arranged(condition, config, choice, preprocessing)

    def _lacking(self, condition: Condition) -> str:
        """Return what the row lacks for a condition."""
        config, shape = condition.recombination, self._shape
        if self._label < 0:
            return "no class"
        if shape is None:
            return "no foreground"
        if config is None and self._parts.box is None:
            return "place of the object not known"
        if self._parts.background is None and (config is None or config.background_combination == "orig"):
            return "no background"
        return "empty mask" if (config or condition.noise) and shape.coverage <= 0 else ""

    def _choose(self, config: RecombinationConfig, original: float = 0.0) -> Choice:
        own, background = None, self._parts.background
        if background is not None and self._shape is not None:
            own = partial(BackgroundShape, None, *size_of(background), self._shape.ratio)
        return choose(
            lambda count: generator(*self.names).random(count).tolist(),
            config,
            label=self._label,
            foreground=self._shape,
            own=own,
            backgrounds=self._pools.get(config.pruning_ratio) or _NoPool(),
            original_probability=original,
        )

    def _arranged(
        self, condition: Condition, config: RecombinationConfig, choice: Choice, preprocessing: Preprocessing
    ) -> Plan | str:
        background, part = choice.background, None
        size = background.width, background.height
        if condition.seen:
            part = seen_part(preprocessing, size)
            canvas = BackgroundShape(background.row, part[2] - part[0], part[3] - part[1], background.ratio)
            choice = choice._replace(background=canvas)
        composition = arrange(config, choice, self._shape)
        if condition.whole and composition.fitted < 1:
            return "larger than its cell"
        if condition.whole and not _is_whole(composition):
            return "larger than the image, or cut off at its edge"
        return Plan(composition, size, part)


def _is_whole(composition: Composition) -> bool:
    """Return whether the whole object is on the canvas, at the size that was drawn."""
    if composition.size is None:
        return False
    ends = zip(composition.offset, composition.size, composition.canvas, strict=True)
    return composition.part == (0, 0, *composition.size) and all(0 <= at <= side - size for at, size, side in ends)


class _NoPool:
    """Stands where no condition has another background than the row's own."""

    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """Refuse."""
        raise NotImplementedError
