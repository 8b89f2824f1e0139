"""Recombination while a dataset is streamed: backgrounds come from a bounded sample of what has gone by."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import datasets
import numpy as np
from PIL import Image

from fornet_hf.arguments import positive
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.features import example_features, with_lazy_images
from fornet_hf.recombination.dataset import as_examples
from fornet_hf.recombination.draw.clock import Clock
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.draw.rng import generator, loader_workers
from fornet_hf.recombination.draw.sampling import BackgroundShape
from fornet_hf.recombination.draw.splits import decided
from fornet_hf.recombination.hooks import Hooks
from fornet_hf.recombination.pixels.decoding import ImageLike, encoded, size_of
from fornet_hf.recombination.recombiner import NEEDED, Recombiner, configuration

_ENOUGH = 100  # backgrounds, to say that a stream has none which pruning leaves


class _Entry(NamedTuple):
    key: str
    image: ImageLike
    ratio: float


class StreamPool:
    """A random sample of the backgrounds of a stream, overall or for each class; bounded in size.

    When it is full, every background that comes takes the place of a random one. So each stays for a random time,
    and an epoch shows more different backgrounds than a sample of all that has gone by, which hardly changes any
    more after a while.

    Args:
        size: backgrounds to keep at most; by class, at least one each.
        pruning_ratio: backgrounds whose object took at least this share are only kept where a class has no others.
        by_class: whether each class has its own.
        random: decides which ones leave.
    """

    def __init__(self, size: int, pruning_ratio: float, *, by_class: bool, random: np.random.Generator) -> None:
        self._size, self._pruning_ratio, self._by_class = size, pruning_ratio, by_class
        self._kept: dict[int | None, list[_Entry]] = {}
        self._pruned: dict[int | None, _Entry] = {}  # of classes that have nothing else
        self._last: _Entry | None = None
        self._random = random
        self._picked: _Entry | None = None
        self._seen, self._least = 0, math.inf

    def add(self, row: Mapping[str, Any]) -> None:
        """Let the background of a row go by."""
        image = encoded(row["background"])
        if image is None:
            return
        label = row["label"] if self._by_class else None
        self._last = entry = _Entry(row["key"], image, row["foreground_ratio"] or 0.0)
        self._seen, self._least = self._seen + 1, min(self._least, entry.ratio)
        if entry.ratio >= self._pruning_ratio:
            if label not in self._kept:
                self._pruned[label] = entry
            return
        self._pruned.pop(label, None)
        if label not in self._kept:
            self._kept[label] = []
            self._make_room()
        kept = self._kept[label]
        if len(kept) < self._room:
            kept.append(entry)
        else:
            kept[self._chosen(kept)] = entry

    @property
    def least_pruned(self) -> float | None:
        """The smallest share that an object has, if pruning left none of the first backgrounds; else None."""
        return None if self._kept or self._seen < _ENOUGH else self._least

    @property
    def _room(self) -> int:
        return max(1, self._size // len(self._kept))

    def _make_room(self) -> None:
        """For one more class, the others give up what they have too much."""
        for kept in self._kept.values():
            while len(kept) > self._room:
                kept.pop(self._chosen(kept))

    def _chosen(self, kept: Sequence[_Entry]) -> int:
        return int(self._random.random() * len(kept))

    def pick(self, chance: float, label: int | None) -> BackgroundShape:
        """The background at the share `chance` of those of class `label`; None: of all.

        Where pruning left none of the class, the latest of it that went by; where none went by, the latest of all.

        Raises:
            ConfigurationError: none went by.
        """
        label = label if self._by_class else None
        kept = self._kept.get(label)
        entry = kept[int(chance * len(kept))] if kept else self._pruned.get(label, self._last)
        if entry is None:
            raise ConfigurationError(
                explain("no background has gone by yet", then="Let the stream start with a row that has one.")
            )
        self._picked = entry
        return BackgroundShape(0, *size_of(entry.image), entry.ratio)

    def read(self, row: int) -> ImageLike:
        """The background that was picked last. Places in the sample are no lasting numbers: `row` is always 0."""
        return self._latest(row).image

    def ratio(self, row: int) -> float:
        """The area of the object that was removed from it / its area."""
        return self._latest(row).ratio

    def key(self, row: int) -> str:
        """The key of the row which it belongs to."""
        return self._latest(row).key

    def _latest(self, row: int) -> _Entry:
        if self._picked is None:
            raise ConfigurationError(explain("no background was picked", found=f"row {row}"))
        return self._picked


class StreamingRecombine(Recombiner):
    """Recombines rows that stream by: `ids.map(StreamingRecombine(...), batched=True, with_indices=True, ...)`.

    As `Recombine`, but a background is chosen from at most `pool_size` that went by before in the same worker and
    the same pass. So the first examples repeat few backgrounds, and with a seed an example depends on the order of
    the stream too, which with `datasets` 5 is that of threads where several shards are shuffled.
    With the rows' places in the stream every pass, and one that is taken up again in the middle,
    begins with an empty pool; without them, the pool stays. `recombine_stream` is the shorter way.

    Args:
        pool_size: backgrounds to keep, 1 or more; of about 50 kB each. Unless `background_combination` is "all",
            they are shared out among the classes.
        split: of the rows: where `evaluation` is not given, validation is recombined as in evaluation.
        config: as of `Recombine`, and so are all that follow.

    Raises:
        ConfigurationError: a parameter that is not allowed.
    """

    pool: StreamPool

    def __init__(
        self,
        *,
        pool_size: int = 2048,
        split: object = None,
        config: RecombinationConfig | None = None,
        foreground_transform: Callable[[Image.Image], Image.Image] | None = None,
        fg_transform: Callable[[Image.Image], Image.Image] | None = None,
        transform: Callable[..., Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        return_fg_masks: bool = False,
        return_composition: bool = False,
        keep: Collection[str] = (),
        epochs: float | None = None,
        **parameters: Any,
    ) -> None:
        pool_size = positive("pool_size", pool_size)
        config = decided(configuration(config, parameters, StreamingRecombine, recombine_stream), split)
        hooks = Hooks(
            foreground_transform=foreground_transform,
            fg_transform=fg_transform,
            transform=transform,
            target_transform=target_transform,
            return_fg_masks=return_fg_masks,
            return_composition=return_composition,
            keep=keep,
        )
        by_class = config.background_combination != "all"
        self._pool_size = pool_size
        self._new_pool = partial(StreamPool, pool_size, config.pruning_ratio, by_class=by_class)
        self._warned = False
        self._next: deque[int] = deque(maxlen=_SHARDS)  # places in the stream, if the passes go on
        self._lock = threading.Lock()
        self._looked = False  # whether there was one batch of a pass from the beginning
        super().__init__(self._new_pool(random=generator("pool")), config, hooks, Clock(epochs=epochs))

    def differences(self) -> list[str]:
        """The parameters that are not the defaults, as `name=value`."""
        return super().differences() + ([f"pool_size={self._pool_size}"] if self._pool_size != 2048 else [])

    def __call__(self, batch: Mapping[str, list[Any]], places: Sequence[int] | None = None) -> dict[str, list[Any]]:
        """A batch of rows as a batch of examples; its backgrounds join the pool first.

        Args:
            batch: rows, a dict of lists.
            places: their numbers in the stream, from 0.
        """
        with self._lock:  # datasets 5 may read several shards at a time, each in its own thread
            if places is not None:
                self._go_on(places)
            if all(name in batch for name in NEEDED):
                columns = (batch[name] for name in ("key", "label", "background", "foreground_ratio"))
                for key, label, background, ratio in zip(*columns, strict=True):
                    self.pool.add({"key": key, "label": label, "background": background, "foreground_ratio": ratio})
            self._warned = self._warned or self._warn_if_all_are_pruned()
            return super().__call__(batch)

    def _go_on(self, places: Sequence[int]) -> None:
        """Begin with an empty pool, unless a shard goes on from where it was."""
        if places[0] not in self._next:
            self.pool = self._new_pool(random=generator("pool", *self._names("")))
            self._looked = places[0] == 0
        else:
            self._next.remove(places[0])
            if self._looked and self.config.follows_epochs:  # the second batch: now it is a pass
                self.clock.advance(1 / loader_workers(), 1)
                self._looked = False
        self._next.append(places[-1] + 1)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())


_SHARDS = 64  # that are read at a time, at most


def recombine_stream(
    rows: datasets.IterableDataset, *, batch_size: int = 16, **parameters: Any
) -> datasets.IterableDataset:
    """A streamed dataset of rows as a streamed dataset of examples; see `StreamingRecombine` for the parameters.

    Raises:
        ConfigurationError: a parameter that is not allowed, or rows that are not streamed.
    """
    if not isinstance(rows, datasets.IterableDataset):
        found, allowed = type(rows).__name__, "a datasets.IterableDataset, such as one split"
        then = "For a Dataset: ds.set_transform(Recombine(ds, ...)), which recombines anew at every access."
        raise ConfigurationError(explain("the rows are no stream", found=found, allowed=allowed, then=then))
    columns = list(rows.column_names or NEEDED)
    recombine = StreamingRecombine(**{"split": rows.split, **parameters})
    examples = with_lazy_images(rows).map(
        recombine,
        batched=True,
        batch_size=positive("batch_size", batch_size),
        with_indices=True,
        remove_columns=columns,
        features=example_features(rows.features, recombine.hooks),
    )
    return as_examples(examples)
