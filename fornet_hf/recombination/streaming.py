"""Recombination while a dataset is streamed: backgrounds come from a bounded sample of what has gone by."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import datasets
from PIL import Image

from fornet_hf.arguments import positive
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.features import example_features, with_lazy_images
from fornet_hf.recombination.dataset import as_examples
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.draw.rng import generator, loader_workers
from fornet_hf.recombination.pools.stream import StreamPool
from fornet_hf.recombination.recombiner import NEEDED, Recombiner, settings


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

    Example:
        >>> import fornet_hf
        >>> fornet_hf.StreamingRecombine(pool_size=256, crop=96, flip=0.5)
        StreamingRecombine(crop=CropConfig(size=(96, 96)), flip=0.5, pool_size=256)
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
        defer: str | None = None,
        epochs: float | None = None,
        **parameters: Any,
    ) -> None:
        pool_size = positive("pool_size", pool_size)
        config, hooks, clock = settings(
            config,
            parameters,
            StreamingRecombine,
            recombine_stream,
            split=split,
            epochs=epochs,
            foreground_transform=foreground_transform,
            fg_transform=fg_transform,
            transform=transform,
            target_transform=target_transform,
            return_fg_masks=return_fg_masks,
            return_composition=return_composition,
            keep=keep,
            defer=defer,
        )
        by_class = config.background_combination != "all"
        self._pool_size = pool_size
        self._new_pool = partial(StreamPool, pool_size, config.pruning_ratio, by_class=by_class)
        self._warned = False
        self._next: deque[int] = deque(maxlen=_SHARDS)  # places in the stream, if the passes go on
        self._lock = threading.Lock()
        self._looked = False  # whether there was one batch of a pass from the beginning
        super().__init__(self._new_pool(random=generator("pool")), config, hooks, clock)

    def differences(self) -> list[str]:
        """Return the parameters that are not the defaults, as `name=value`."""
        return super().differences() + ([f"pool_size={self._pool_size}"] if self._pool_size != 2048 else [])

    def __call__(self, batch: Mapping[str, list[Any]], places: Sequence[int] | None = None) -> dict[str, list[Any]]:
        """Turn a batch of rows into a batch of examples; its backgrounds join the pool first.

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
    """Recombine a streamed dataset of rows into one of examples; see `StreamingRecombine` for the parameters.

    Raises:
        ConfigurationError: a parameter that is not allowed, or rows that are not streamed.

    Example:
        >>> import fornet_hf
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> examples = fornet_hf.recombine_stream(ds.to_iterable_dataset(), crop=96, seed=0)
        >>> next(iter(examples))["image"].size
        (96, 96)
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
