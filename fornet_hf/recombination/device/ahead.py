"""A loader's batches composed while the training step before still runs: in a thread, on a stream of their own."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Any, TypeVar

import torch

from fornet_hf.recombination import epochs
from fornet_hf.recombination.device.batch import Batch, check_batch
from fornet_hf.recombination.device.compositor import Compositor

T = TypeVar("T")
R = TypeVar("R")


class DeviceLoader:
    """Iterates over `(images, labels)` of a loader of batches, composed one batch ahead.

    While a step runs, a thread takes the next batch as soon as the loader has it, and moves and composes it on a
    second stream; the caller's stream waits for nothing but the batch that it gets. Without workers
    (`num_workers=0`) there is no thread, as all Python runs in this process anyway; nor is there one around a loader
    that accelerate prepared, which would tell the end of an epoch a step too early.

    Args:
        loader: a DataLoader with `collate_fn=fornet_hf.collate`, of a dataset whose `Recombine` has `defer=`. With
            `pin_memory=True` batches reach a GPU faster.
        compositor: see there.
        device: such as "cuda".
        composed: give all that `Compositor.composed` gives, such as masks, not images and labels alone.

    Example:
        >>> import fornet_hf, torch
        >>> ds = fornet_hf.load_dataset(patches="demo/made/patches", imagenet_dir="demo/pictures", split="train")
        >>> ds.set_transform(fornet_hf.Recombine(ds, background_combination="same", crop=96, defer="jpeg"))
        >>> loader = torch.utils.data.DataLoader(ds, batch_size=2, collate_fn=fornet_hf.collate)
        >>> images, labels = next(iter(fornet_hf.DeviceLoader(loader, fornet_hf.Compositor(), "cpu")))
        >>> images.shape
        torch.Size([2, 3, 96, 96])
    """

    def __init__(
        self,
        loader: Iterable[Batch],
        compositor: Compositor,
        device: torch.device | str,
        *,
        composed: bool = False,
    ) -> None:
        self.loader, self.compositor, self.device, self.composed = loader, compositor, torch.device(device), composed

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    @property
    def dataset(self) -> Any:
        """The loader's dataset."""
        return getattr(self.loader, "dataset", None)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, from 0, of the loader, its sampler and the dataset's recombination, where they have one."""
        for part in (self.loader, *(getattr(self.loader, name, None) for name in ("sampler", "batch_sampler"))):
            if told := getattr(part, "set_epoch", None):
                told(epoch)
        if epochs.find_clocks(self.loader):
            epochs.set_epoch(self.loader, epoch)

    def __iter__(self) -> Iterator[Any]:
        beside = None
        if self.device.type == "cuda":
            beside = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
            beside.wait_stream(torch.cuda.current_stream(self.device))
        make = self.compositor.composed if self.composed else self.compositor

        def moved_and_composed(batch: Batch) -> tuple[Any, Any]:
            check_batch(batch)
            if beside is not None and batch.device.type == "cuda":  # moved by somebody else, on this thread's stream
                beside.wait_stream(torch.cuda.current_stream(batch.device))  # in a thread "cuda" is GPU 0
                for tensor in _tensors([batch.flat, batch.labels, batch.columns]):
                    tensor.record_stream(beside)
            with torch.cuda.stream(beside):  # None: as if there were no streams
                made = make(batch.to(self.device, non_blocking=True))
                return made, beside and beside.record_event()

        # A loader that accelerate prepared says of its last batch that it is the last when it is asked for it.
        in_time = getattr(self.loader, "num_workers", None) == 0 or hasattr(self.loader, "gradient_state")
        with closing((in_turn if in_time else ahead)(moved_and_composed, self.loader)) as batches:
            for made, ready in batches:
                if ready is not None:
                    current = torch.cuda.current_stream(self.device)
                    current.wait_event(ready)
                    for tensor in _tensors(made):
                        tensor.record_stream(current)  # its memory is not used again before the step is over
                yield made


def in_turn(work: Callable[[T], R], items: Iterable[T]) -> Generator[R]:
    """Yield `work(item)` of all items, in order."""
    for item in items:
        yield work(item)


def ahead(work: Callable[[T], R], items: Iterable[T]) -> Generator[R]:
    """Yield `work(item)` of all items, in order. The next item is awaited and worked on meanwhile, but none beyond.

    What an item or the work on it raises is raised here in its turn. Closing this ends the thread, and the iteration
    over the items.
    """
    iterator = iter(items)
    first = list(itertools.islice(iterator, 1))  # here, as samplers draw from the caller's generators at the start
    made = queue.SimpleQueue[tuple[Any, BaseException | None]]()
    taken, closed = threading.Semaphore(0), threading.Event()

    def run() -> None:
        try:
            for item in itertools.chain(first, iterator):
                made.put((work(item), None))
                taken.acquire()
                if closed.is_set():
                    return
            made.put((_END, None))
        except BaseException as error:  # noqa: BLE001  # raised in the caller's thread
            made.put((None, error))

    thread = threading.Thread(target=run, name="fornet-ahead", daemon=True)
    thread.start()
    try:
        while True:
            result, error = made.get()
            if result is _END:
                return
            if error is not None:
                try:
                    raise error
                finally:
                    del error  # which leads to this frame, and so to the loader's workers
            taken.release()
            yield result
    finally:
        closed.set()
        taken.release()
        thread.join()
        if hasattr(iterator, "close"):
            iterator.close()


_END = object()


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield all tensors on a GPU among results."""
    if isinstance(value, torch.Tensor):
        if value.is_cuda:
            yield value
    elif isinstance(value, (tuple, list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors(part)
