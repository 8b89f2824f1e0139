"""Showing foregrounds on backgrounds: full batches of pairs, composed on the device."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fornet_hf.errors import SourceError, explain
from fornet_hf.evaluation.answers.device import free_cached, out_of_memory
from fornet_hf.evaluation.challenge.standing import Numbers, Standing
from fornet_hf.evaluation.challenge.tree import Foreground, TreeImages

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
Answer = Callable[[Numbers, Numbers, Callable[[slice], "torch.Tensor"]], Numbers]
_AHEAD = 64  # foregrounds that are read ahead


def play(
    images: TreeImages,
    order: Numbers,
    standing: Standing,
    mine: Sequence[int],
    answer: Answer,
    *,
    batch_size: int,
    device: torch.device,
    workers: int,
) -> Iterator[None]:
    """Show foregrounds on the backgrounds until all are decided; yields after each batch.

    A batch holds a pair of each of many foregrounds, so hardly any is shown that its early stop would have spared.
    Only when few foregrounds are left, each gets more than one.

    Args:
        images: foregrounds and backgrounds.
        order: numbers of the backgrounds, in the order in which each foreground meets them.
        standing: what is known of each foreground, which is brought up to date.
        mine: numbers of the foregrounds to show.
        answer: gives the class of each composite; it gets numbers and classes of the foregrounds, and a function that
            makes the composites at some places (float32, n x 3 x height x width, 0 to 1, on the device).
        batch_size: composites.
        device: of the composites.
        workers: threads that read images.

    Raises:
        SourceError: the images are not of one size.
    """
    with ThreadPoolExecutor(workers) as readers:
        backgrounds = _Backgrounds(images, order, readers, device)
        labels, background_labels = np.asarray(images.labels), np.asarray(images.background_labels)[order]
        waiting = _ahead(readers, images.foreground, [number for number in mine if not standing.decided[number]])
        board = _Board(backgrounds.shape, device)
        while True:
            for number, foreground in _some(waiting, batch_size - len(board.numbers)):
                board.put(number, foreground, images.foregrounds[number])
            if not board.numbers:
                return
            foregrounds, places = standing.deal(np.array(board.numbers), batch_size)
            composites = partial(board.composites, backgrounds, foregrounds, places)
            answers = answer(foregrounds, labels[foregrounds], composites)
            standing.take(foregrounds, places, answers, labels[foregrounds], background_labels[places])
            board.remove(np.flatnonzero(standing.decided))
            yield


def _ahead(readers: Executor, read: Callable[[int], T], numbers: Iterable[int]) -> Iterator[tuple[int, T]]:
    """Yield what is read of some numbers, in order; some of it is read before it is asked for."""
    waiting: deque[tuple[int, Future[T]]] = deque()
    for number in numbers:
        waiting.append((number, readers.submit(read, number)))
        if len(waiting) > _AHEAD:
            first, future = waiting.popleft()
            yield first, future.result()
    for first, future in waiting:
        yield first, future.result()


def _some(items: Iterator[T], count: int) -> Iterator[T]:
    for _ in range(count):
        try:
            yield next(items)
        except StopIteration:
            return


class _Backgrounds:
    """All backgrounds as uint8: on the device if they fit, else in main memory."""

    def __init__(self, images: TreeImages, order: Numbers, readers: Executor, device: torch.device) -> None:
        import torch

        self._device = device
        first = images.background(int(order[0]))
        self.shape = first.shape
        pixels = torch.empty((len(order), *first.shape), dtype=torch.uint8)
        for place, (number, image) in enumerate(_ahead(readers, images.background, order.tolist())):
            _check_size(image.shape, self.shape, images.backgrounds[number])
            pixels[place] = torch.from_numpy(np.ascontiguousarray(image))
        self._pixels = pixels
        try:
            self._pixels = pixels.to(device)
        except Exception as error:
            if not out_of_memory(error):
                raise
        if self._pixels is pixels:
            free_cached(device)

    def of(self, places: Numbers) -> torch.Tensor:
        """Return those at some places of the order, on the device."""
        import torch

        return self._pixels.index_select(0, torch.from_numpy(places).to(self._pixels.device)).to(self._device)


class _Board:
    """The foregrounds that are being shown, on the device.

    Attributes:
        numbers: of the foregrounds.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self._shape, self._device = shape, device
        self._images: dict[int, torch.Tensor] = {}
        self._masks: dict[int, torch.Tensor] = {}

    @property
    def numbers(self) -> list[int]:
        return list(self._images)

    def put(self, number: int, foreground: Foreground, name: str) -> None:
        import torch

        for shape in (foreground.image.shape, (3, *foreground.mask.shape)):
            _check_size(shape, self._shape, name)
        self._images[number] = torch.from_numpy(np.ascontiguousarray(foreground.image)).to(self._device)
        hard = foreground.mask.astype(np.uint8)
        mask = hard if np.array_equal(hard, foreground.mask) else np.ascontiguousarray(foreground.mask)
        self._masks[number] = torch.from_numpy(mask).to(self._device)

    def remove(self, numbers: Numbers) -> None:
        for number in set(numbers.tolist()) & self._images.keys():
            del self._images[number], self._masks[number]

    def composites(self, among: _Backgrounds, foregrounds: Numbers, places: Numbers, some: slice) -> torch.Tensor:
        """Return background * (1 - mask) + mask * image, 0 to 1, of some pairs of foregrounds and places."""
        import torch

        backgrounds, numbers = among.of(places[some]), foregrounds[some].tolist()
        images = torch.stack([self._images[number] for number in numbers])
        masks = torch.stack([self._masks[number] for number in numbers])[:, None]
        if masks.dtype is torch.uint8:  # each pixel is of one of them, so bytes are enough, at a third of the time
            changed = backgrounds.bitwise_xor(images).bitwise_and_(masks * 255)
            return changed.bitwise_xor_(backgrounds).float().div_(255)
        return backgrounds.float().div_(255).mul_(1 - masks).add_(images.float().div_(255).mul_(masks))


def _check_size(shape: tuple[int, ...], allowed: tuple[int, ...], name: str) -> None:
    if shape != allowed:
        sizes = (f"{width} x {height}" for _, height, width in (shape, allowed))
        found, right = sizes
        raise SourceError(explain(f"{name}: images of a challenge have one size", found=found, allowed=right))
