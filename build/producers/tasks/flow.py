"""Images on their way through a chain: a step is called as soon as a batch is full, with images of many windows.

Models put images of the same shape into a batch. Of a few images at a time most batches would be short; so images
wait for a step until enough of a shape are there, and those that came later may overtake them. A bound on the images
that wait bounds the memory, about 1 MB each: beyond it the oldest goes on in a batch that is short.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from fornet_hf.errors import ConfigurationError, explain
from producers.scene import Scene
from producers.step import Step
from producers.tasks.careful_step import CarefulStep
from producers.work.report import Lost

SPAN = 8  # windows of images that have not left; what is made of one is small
SOME = 32  # items that a model which has no batches gets at a time
Item = TypeVar("Item")
Made = TypeVar("Made")
Passed = tuple[int, "Scene | Lost"]
"""The number of an image, and what became of it."""


@dataclass(frozen=True, eq=False)
class Waits:
    """An image that waits for a step.

    Attributes:
        number: of the image, in the order of the source.
        scene: as the steps before have left it.
        items: for which it counts in a batch.
    """

    number: int
    scene: Scene
    items: int


class Queue:
    """The images that wait for one step, in buckets: those of a bucket can share a batch."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._buckets: dict[Hashable, list[Waits]] = {}

    def put(self, one: Waits) -> Hashable:
        """Let an image wait; return its bucket."""
        bucket = bucket_of(self._step, one.scene)
        self._buckets.setdefault(bucket, []).append(one)
        return bucket

    def full(self, bucket: Hashable) -> bool:
        """Return whether there is enough for a batch."""
        return sum(one.items for one in self._buckets.get(bucket, ())) >= batch_of(self._step)

    def take(self, bucket: Hashable) -> list[Waits]:
        """Return what fits into a batch, the oldest first and in any case; it waits no more."""
        waiting = sorted(self._buckets.pop(bucket), key=lambda one: one.number)
        taken, room = [waiting[0]], batch_of(self._step) - waiting[0].items
        for one in waiting[1:]:
            if one.items <= room:
                taken.append(one)
                room -= one.items
        if left := [one for one in waiting if one not in taken]:
            self._buckets[bucket] = left
        return taken

    def buckets(self) -> list[Hashable]:
        """Return those in which images wait."""
        return [*self._buckets]


def bucket_of(step: Step, scene: Scene) -> Hashable:
    """Return what images that share a batch have in common, as far as the step's model says it.

    Raises:
        ConfigurationError: the model's `bucket` fails, or returns nothing hashable.
    """
    shape: Hashable = None
    with _hint(step, "bucket", "bucket(height, width) returns something hashable, such as (height, width)"):
        if (shaped := getattr(step.worker, "bucket", None)) is not None:
            shape = shaped(*scene.raster.shape[:2])
        hash(shape)
    return shape, len(scene.prompts) if "prompts" in step.needs else 0


def batch_of(step: Step) -> int:
    """Return how many items the step's model takes at a time; what memory allows may change meanwhile.

    Raises:
        ConfigurationError: the model's `batch_size` is no number.
    """
    size = getattr(step.worker, "batch_size", None)
    with _hint(step, "batch_size", "a number, or a BatchSize"):
        return SOME if size is None else int(getattr(size, "value", size))


@contextlib.contextmanager
def _hint(step: Step, name: str, allowed: str) -> Iterator[None]:
    """Read a hint of the step's model; with what it raises, no further attempt at the shard would fare better."""
    try:
        yield
    except Exception as error:
        what = f"the {step.stage} model {type(step.worker).__name__} does not say how its batches are filled"
        found = f"{type(error).__name__} in its `{name}`: {error}"
        raise ConfigurationError(explain(what, found=found, allowed=allowed)) from error


class Flow:
    """A chain of steps, with the images that wait for each.

    All methods yield the images that have gone through, or were lost, in the order in which they did.
    """

    def __init__(self, steps: Sequence[CarefulStep]) -> None:
        self._steps = steps
        self._queues = [Queue(one.step) for one in steps]
        self._places: dict[int, tuple[int, Hashable]] = {}  # step and bucket of each image that waits

    def put(self, number: int, scene: Scene, at: int = 0) -> Iterator[Passed]:
        """Let an image come to a step, the first by default; all that can go on from there does."""
        if at == len(self._steps):
            yield number, scene
            return
        one = Waits(number, scene, self._steps[at].step.items(scene))
        if one.items == 0:
            yield from self._run(at, [one])
            return
        bucket = self._queues[at].put(one)
        self._places[number] = at, bucket
        while self._queues[at].full(bucket):
            yield from self._run(at, self._queues[at].take(bucket))

    def push(self) -> Iterator[Passed]:
        """Let the oldest image wait no more for the step that it waits for; others of its bucket go with it."""
        at, bucket = self._places[min(self._places)]
        yield from self._run(at, self._queues[at].take(bucket))

    def flush(self) -> Iterator[Passed]:
        """Let nobody wait any more: no image comes after."""
        for at, queue in enumerate(self._queues):
            while buckets := queue.buckets():
                for bucket in buckets:
                    yield from self._run(at, queue.take(bucket))

    def __len__(self) -> int:
        return len(self._places)

    def _run(self, at: int, waiting: Sequence[Waits]) -> Iterator[Passed]:
        for one in waiting:
            self._places.pop(one.number, None)
        found = self._steps[at]([one.scene for one in waiting])
        for one, after in zip(waiting, found, strict=True):
            if isinstance(after, Lost):
                yield one.number, after
            else:
                yield from self.put(one.number, after, at + 1)


def through(
    images: Iterable[tuple[Item, Scene | Lost]],
    steps: Sequence[CarefulStep],
    window: int,
    leave: Callable[[Item, Scene | Lost], Future[Made]],
) -> Iterator[Future[Made]]:
    """Yield what `leave` returns for each image, in their order; it is asked as soon as an image has gone through.

    Args:
        images: with what is kept of each meanwhile; or why it cannot be used.
        steps: the chain.
        window: images that may wait for steps, at least 1. Those that have gone through wait for older ones to leave:
            together they are at most `SPAN` times as many.
        leave: begins to make something of an image.

    Raises:
        Exception: what a step raises; see `CarefulStep`.
    """
    flow, line = Flow(steps), Line(leave)
    for image, scene in images:
        number = line.join(image)
        line.leave([(number, scene)] if isinstance(scene, Lost) else flow.put(number, scene))
        while len(flow) >= window:
            line.leave(flow.push())
        while line.ready() or len(line) >= SPAN * window:
            while not line.begun():
                line.leave(flow.push())
            yield line.pop()
    line.leave(flow.flush())
    for step in steps:
        step.judge()
    while len(line):
        yield line.pop()


class Line(Generic[Item, Made]):
    """Images in their order, while they are on their way and until those before them have left.

    Attributes:
        first: number of the oldest.
    """

    def __init__(self, leave: Callable[[Item, Scene | Lost], Future[Made]]) -> None:
        self.first = 0
        self._leave = leave
        self._items: dict[int, Item] = {}
        self._made: dict[int, Future[Made]] = {}

    def join(self, item: Item) -> int:
        """Return the number of a new one."""
        number = self.first + len(self)
        self._items[number] = item
        return number

    def leave(self, passed: Iterable[Passed]) -> None:
        """Begin to make what becomes of images."""
        for number, outcome in passed:
            self._made[number] = self._leave(self._items.pop(number), outcome)

    def begun(self) -> bool:
        """Return whether the oldest has gone through."""
        return self.first in self._made

    def ready(self) -> bool:
        """Return whether what becomes of the oldest is made."""
        return self.begun() and self._made[self.first].done()

    def pop(self) -> Future[Made]:
        """Return what becomes of the oldest, which leaves."""
        self.first += 1
        return self._made.pop(self.first - 1)

    def __len__(self) -> int:
        return len(self._items) + len(self._made)
