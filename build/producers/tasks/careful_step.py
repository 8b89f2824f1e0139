"""Steps of which no image is lost by a fault that is not its own: of the models, or of the machine."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence

from producers.devices.batches import is_out_of_memory
from producers.scene import Scene
from producers.step import Step
from producers.tasks.candidates import take
from producers.work.report import Lost, Report

_FEW = 3  # images in a row that may be odd ones; what they have cost is little if the models are broken
PAUSES = (1.0, 10.0, 60.0)  # seconds for others to leave the GPU

# What a model may raise about one image. Anything else, such as an error of the GPU, is not the image's fault.
_IMAGES_FAULT = (ValueError, ArithmeticError, LookupError, MemoryError)


class CarefulStep:
    """A step of one shard's chain.

    An image with which its model fails does not take the others along: it is tried alone, and lost if the model fails
    again. That the model is to blame is known by an image of which it made something before, which it is given again
    when a batch has nothing but failures. Before there is one, a few failures may be the images' own; with none until
    the end, `judge` says that the model fails.
    Images in which nothing is found say nothing about a model.

    When memory runs out with one image alone, it is too large, unless others use the GPU: then it waits for them.

    Attributes:
        step: the step itself.
    """

    def __init__(
        self,
        step: Step,
        report: Report,
        *,
        shared: Callable[[], bool] = lambda: False,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        """Begin a shard.

        Args:
            step: with its model.
            report: gets the times.
            shared: whether others use the GPU's memory.
            pauses: before each further attempt at an image for which others left no memory, seconds.
        """
        self.step = step
        self._report = report
        self._shared = shared
        self._pauses = pauses
        self._failures = 0
        self._first: Exception | None = None
        self._proof: Scene | None = None

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene | Lost]:
        """Return the scenes in the same order, with the fields that the step gives, or why an image is lost.

        Raises:
            Exception: what the model raises, if it is not about an image, or if the model is to blame.
        """
        first: Exception | None = None
        found: list[Scene | Lost]
        try:
            found = [*self._take(scenes)]
        except Exception as error:
            if not _is_images_fault(error):
                raise
            first = error
            traceback.clear_frames(error.__traceback__)  # they hold the batch in the GPU's memory
            found = [self._take_alone(scene) for scene in scenes]
        proofs = [scene for scene, after in zip(scenes, found, strict=True) if self._made_something(after)]
        if proofs:
            self._proof = proofs[-1]
        elif first is not None:
            self._blame(first, sum(isinstance(after, Lost) for after in found))
        return found

    def judge(self) -> None:
        """After the last image: raise what the model raised, if several images failed and it made nothing of any."""
        if self._proof is None and self._first is not None and self._failures > 1:
            raise self._first

    def _take(self, scenes: Sequence[Scene]) -> list[Scene]:
        return take(self.step, scenes, self._report)

    def _take_alone(self, scene: Scene) -> Scene | Lost:
        try:
            return self._patiently(scene)
        except Exception as error:
            if not _is_images_fault(error) or (is_out_of_memory(error) and self._shared()):
                raise
            return Lost(scene.key, "error", type(error).__name__, str(error))

    def _patiently(self, scene: Scene) -> Scene:
        for pause in self._pauses:
            try:
                return self._take([scene])[0]
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            if not self._shared():
                break  # and once more: others may have left just now
            time.sleep(pause)
        return self._take([scene])[0]

    def _made_something(self, after: Scene | Lost) -> bool:
        return not isinstance(after, Lost) and any(getattr(after, name) for name in self.step.gives)

    def _blame(self, error: Exception, failures: int) -> None:
        """Raise if it is the model that fails."""
        self._failures += failures
        self._first = self._first or error
        if failures and self._proof is not None:
            self._patiently(self._proof)
        elif self._failures > _FEW:
            raise error


def _is_images_fault(error: Exception) -> bool:
    return isinstance(error, _IMAGES_FAULT) or is_out_of_memory(error)
