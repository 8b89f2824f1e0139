"""Images on their way from the stimuli to a device: made by worker processes, cut into batches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from fornet_hf.errors import ForNetError
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.protocol import Shown, Stimuli
from fornet_hf.processes import worker_killed

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


class Item(NamedTuple):
    """One item.

    Attributes:
        number: of the item.
        shown: what is known of its images, which are empty arrays there.
        images: uint8, views x 3 x size x size.
    """

    number: int
    shown: Shown
    images: torch.Tensor


class Batch(NamedTuple):
    """Images of one item or more.

    Attributes:
        items: number of each image's item.
        conditions: number of each image's condition.
        images: uint8, images x 3 x size x size.
    """

    items: Sequence[int]
    conditions: Sequence[int]
    images: torch.Tensor


def loader(stimuli: Stimuli, numbers: Sequence[int], preprocessing: Preprocessing, workers: int) -> Any:
    """Return a loader of `Item`; see `in_order`."""
    return in_order(partial(_item, stimuli, preprocessing), numbers, workers)


def in_order(make: Callable[[int], Any], numbers: Sequence[int], workers: int) -> Any:
    """Return a loader that gives what is made of some numbers, one by one and as it is.

    An error of ours comes in the place of its item; see `items_of`.
    """
    from torch.utils.data import DataLoader

    dataset: Any = _Each(make, numbers)
    processes = min(workers, len(numbers))
    if processes <= 1:
        return DataLoader(dataset, batch_size=None, collate_fn=_same)
    return _Fetched(DataLoader(dataset, batch_size=None, num_workers=processes, collate_fn=_same, prefetch_factor=4))


def items_of(loaded: Iterable[T | ForNetError]) -> Iterator[T]:
    """Yield the items; raise the first error."""
    for item in loaded:
        if isinstance(item, ForNetError):
            raise item
        yield item


@contextlib.contextmanager
def watched_workers() -> Iterator[None]:
    """Raise a WorkerDiedError if a worker is killed, which torch tells by a signal, wherever its owner is then."""
    try:
        yield
    except RuntimeError as error:
        if not is_of_worker(error):
            raise
        raise worker_killed("--workers") from error


def is_of_worker(error: Exception) -> bool:
    """Return whether torch says that a worker is the cause: raised where its owner is, if it is killed."""
    return "DataLoader worker" in str(error)


def batches(items: Iterable[Item], size: int, *, pinned: bool) -> Iterator[Batch]:
    """Cut the images of successive items into batches of `size`; the last may be smaller.

    Args:
        items: whose images they are.
        size: images.
        pinned: in memory that a GPU reads while its owner goes on.
    """
    import torch

    together = torch.empty(0)
    places: list[tuple[int, int]] = []
    for item in items:
        views, images = item.shown.views, item.images
        while views:
            if not places:
                together = torch.empty((size, *images.shape[1:]), dtype=torch.uint8, pin_memory=pinned)
            fit = views[: size - len(places)]
            # Copied, since images that were sent keep a file open each; by NumPy, since torch copies with a thread
            # for each CPU, which take them from the workers.
            together.numpy()[len(places) : len(places) + len(fit)] = images[: len(fit)].numpy()
            places += [(item.number, view.condition) for view in fit]
            views, images = views[len(fit) :], images[len(fit) :]
            if len(places) == size:
                yield _batch(places, together)
                places = []
    if places:
        yield _batch(places, together[: len(places)])


class _Fetched:
    """A loader whose items worker processes make.

    An owner that opens a tensor's memory while its worker is being killed hears of a connection or a file, before the
    signal that `watched_workers` waits for.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._loader
        except (ConnectionError, EOFError, FileNotFoundError) as error:
            if is_of_worker(error):  # torch says so of those that the worker itself raised
                raise
            raise worker_killed("--workers") from error


class _Each:
    """The dataset of a loader."""

    def __init__(self, make: Callable[[int], Any], numbers: Sequence[int]) -> None:
        self._make, self._numbers = make, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Any:
        try:
            return self._make(self._numbers[index])
        except ForNetError as error:  # raised in the worker, torch would put its traceback into the message
            return error


def _item(stimuli: Stimuli, preprocessing: Preprocessing, number: int) -> Item:
    import torch

    shown = stimuli.shown(number, preprocessing)
    images = torch.empty((len(shown.views), 3, preprocessing.size, preprocessing.size), dtype=torch.uint8)
    for image, view in zip(images.numpy(), shown.views, strict=True):
        image[...] = view.image
    views = [view._replace(image=_NOTHING) for view in shown.views]
    return Item(number, Shown(views, shown.missing), images)


_NOTHING = np.zeros(0, np.uint8)


def _same(item: Any) -> Any:
    return item


def _batch(places: Sequence[tuple[int, int]], images: torch.Tensor) -> Batch:
    items, conditions = zip(*places, strict=True)
    return Batch(items, conditions, images)
