"""Rows of a ForNet as stimuli: each shown as it is and recombined, in all conditions with the same draws."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from operator import itemgetter
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt

from fornet_hf.arguments import positive
from fornet_hf.errors import ConfigurationError, SourceError, explain
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import Condition
from fornet_hf.evaluation.stimuli.frame import Frame
from fornet_hf.evaluation.stimuli.planning import Plan, Planner
from fornet_hf.evaluation.stimuli.protocol import Shown, View
from fornet_hf.evaluation.stimuli.rendering import Renderer
from fornet_hf.recombination.columns import Column, numbers
from fornet_hf.recombination.pixels.compositing import Composed
from fornet_hf.recombination.pixels.decoding import ImageLike
from fornet_hf.recombination.pixels.parts import Parts
from fornet_hf.recombination.pools.arrow import BackgroundPool
from fornet_hf.recombination.recombiner import NEEDED


class Rows:
    """Rows in a number of conditions; `Stimuli`.

    The draws depend on seed, draw and the row's key alone. So all conditions show an object on the same background
    where they have the same `background_combination`, and at the same drawn size and place.

    Args:
        dataset: prepared rows, as `fornet_hf.load_dataset` returns them; backgrounds are those of all of them.
        conditions: by name. Their own seeds, and whether they are of evaluation, count for nothing.
        seed: of all draws, 0 or more.
        draws: items of each row, 1 or more; from 2 on they are called KEY#1, KEY#2, ...
        class_names: names of the classes in label order; None: those of the dataset.
        fingerprint: of the rows; None: the one that `datasets` keeps.

    Raises:
        ConfigurationError: not prepared rows, two rows of one key, or no background where conditions need others.
    """

    def __init__(
        self,
        dataset: datasets.Dataset,
        conditions: Mapping[str, Condition],
        *,
        seed: int = 0,
        draws: int = 1,
        class_names: Sequence[str] | None = None,
        fingerprint: str | None = None,
    ) -> None:
        found = getattr(dataset, "column_names", type(dataset).__name__)
        if not isinstance(dataset, datasets.Dataset) or not set(NEEDED) <= set(dataset.column_names):
            raise ConfigurationError(explain("these are no rows of a ForNet", found=found, allowed=list(NEEDED)))
        self._dataset = dataset.with_format(None).select_columns(list(NEEDED))
        self._conditions = {name: _in_evaluation(condition) for name, condition in conditions.items()}
        self._seed, self._draws = seed, positive("draws", draws)
        self._class_names = list(class_names if class_names is not None else dataset.features["label"].names)
        self._rows_fingerprint: str = fingerprint or dataset._fingerprint  # noqa: SLF001  # has no public name
        self._index()
        key, times = max(Counter(self._keys).items(), key=itemgetter(1), default=("", 0))
        if times > 1:  # they would count as one image, with the same draws
            then = "Drop rows that are there twice; give different images different keys, with ds.map()."
            raise ConfigurationError(explain("two rows have one key", found=f"{key} in {times} rows", then=then))

    def _index(self) -> None:
        self._columns = {name: Column(self._dataset, name) for name in NEEDED}
        self._labels: npt.NDArray[np.int64] = numbers(self._dataset, "label", np.int64, null=NO_LABEL)
        self._keys = [str(key) for key in self._dataset.with_format(None)["key"]]
        configs = [one.recombination for one in self._conditions.values() if one.recombination is not None]
        ratios = {config.pruning_ratio for config in configs if config.background_combination != "orig"}
        self._pools = {ratio: BackgroundPool(self._dataset, ratio) for ratio in ratios}
        with suppress(ImportError):  # it scales objects where it is loaded, to other bytes (by a level)
            importlib.import_module("torch")

    def __getstate__(self) -> dict[str, Any]:
        made = ("_columns", "_labels", "_keys", "_pools")
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._index()

    @property
    def conditions(self) -> Sequence[str]:
        """Names of the conditions."""
        return list(self._conditions)

    @property
    def keys(self) -> Sequence[str]:
        """Name of each item."""
        if self._draws == 1:
            return self._keys
        return [f"{key}#{draw + 1}" for key in self._keys for draw in range(self._draws)]

    @property
    def sources(self) -> Sequence[str]:
        """Key of the row of each item."""
        return [key for key in self._keys for _ in range(self._draws)]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Class of each item; below 0: not known, and it is shown in no condition."""
        labels: npt.NDArray[np.int64] = np.repeat(self._labels, self._draws)
        return labels

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes."""
        return self._class_names

    @property
    def fingerprint(self) -> str:
        """Digest of all that decides on the images, preprocessing apart: 32 hexadecimal digits."""
        conditions = {name: asdict(condition) for name, condition in self._conditions.items()}
        values = [self._rows_fingerprint, conditions, self._seed, self._draws]
        return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).hexdigest()

    def shown(self, item: int, preprocessing: Preprocessing) -> Shown:
        """Return the images of an item.

        Raises:
            SourceError: an image of the row, or of a background, is damaged.
        """
        plans: dict[int, Plan] = {}
        missing: dict[int, str] = {}
        with self._opened(item) as (planner, renderer):
            for number, condition in enumerate(self._conditions.values()):
                plan = planner.plan(condition, preprocessing)
                if isinstance(plan, str):
                    missing[number] = plan
                else:
                    plans[number] = plan
            images = renderer.views(plans, preprocessing)
        views = [View(number, image, *self._background(item, plans[number])) for number, image in images.items()]
        return Shown(views, missing)

    def image(self, item: int, condition: str, preprocessing: Preprocessing) -> Composed | str:
        """Return the image of one condition at full size, before the classifier's preprocessing.

        Returns: the canvas (RGB) and the object's mask on it (L); or the reason for showing nothing. With a
            condition that is `seen` the canvas is the part of the background that the classifier sees; noise, which
            belongs to the classifier's size, is not shown.
        """
        return self._composed(item, self._conditions[condition], preprocessing)

    def masked(
        self, item: int, preprocessing: Preprocessing
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]] | str:
        """Return the original image and its object's mask as the classifier sees them.

        Returns: the image, uint8, 3 x size x size; and the share of each pixel that the object covers, float32, size
            x size, 0 to 1. Or the reason for showing nothing: the row lacks a part, or its object.
        """
        composed = self._composed(item, Condition(), preprocessing)
        if isinstance(composed, str):
            return composed
        image, mask = composed
        if mask is None or mask.getbbox() is None:
            return "empty mask"
        frame = Frame.of(preprocessing, image.size)
        return frame.view(image), frame.view(mask)[0].astype(np.float32) / 255

    def _composed(self, item: int, condition: Condition, preprocessing: Preprocessing) -> Composed | str:
        with self._opened(item) as (planner, renderer):
            plan = planner.plan(condition, preprocessing)
            return plan if isinstance(plan, str) else renderer.composed(plan)

    @contextmanager
    def _opened(self, item: int) -> Iterator[tuple[Planner, Renderer]]:
        """Yield what draws and makes the images of an item; damage gets the row's name."""
        row, draw = divmod(item, self._draws)
        key, label = self._keys[row], int(self._labels[row])
        try:
            parts = Parts.of({name: column[row] for name, column in self._columns.items()})
            planner = Planner(key, label, parts, self._pools, self._labels, seed=self._seed, draw=draw)
            yield planner, Renderer(parts, self._read, planner.names)
        except SourceError as error:
            raise error.at(key) from error

    def _read(self, row: int) -> ImageLike:
        return next(iter(self._pools.values())).read(row)

    def _background(self, item: int, plan: Plan) -> tuple[str, int]:
        """Return key and class of the image that the background comes from, if it is another one."""
        row = plan.composition.background
        if row in (None, item // self._draws):
            return "", NO_LABEL
        return self._keys[row], int(self._labels[row])


def _in_evaluation(condition: Condition) -> Condition:
    config = condition.recombination
    return (
        condition if config is None else replace(condition, recombination=replace(config, evaluation=True, seed=None))
    )
