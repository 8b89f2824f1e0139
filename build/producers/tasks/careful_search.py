"""Searching images so that none is lost by a fault that is not its own: of the models, or of the machine."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence

from producers.devices.batches import is_out_of_memory
from producers.scene import Scene
from producers.step import Step
from producers.tasks.candidates import Outcome, search
from producers.work.report import Lost, Report

_FEW = 3  # images in a row that may be odd ones; what they have cost is little if the models are broken
PAUSES = (1.0, 10.0, 60.0)  # seconds for others to leave the GPU

# What a model may raise about one image. Anything else, such as an error of the GPU, is not the image's fault.
_IMAGES_FAULT = (ValueError, ArithmeticError, LookupError, MemoryError)


class CarefulSearch:
    """The search of one shard's images, window by window.

    An image with which the models fail does not take the others along: it is searched alone, and lost if they fail
    again. That the models are to blame is known by an image that they took apart before, which they are given
    again when a window has nothing but failures. Before there is one, a few failures may be the images' own; with
    none until the end, `judge` says that the models fail.
    Images in which nothing is found say nothing about the models that would have come after.

    When memory runs out with one image alone, it is too large, unless others use the GPU: then it waits for them.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        report: Report,
        *,
        shared: Callable[[], bool] = lambda: False,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        """Begin a shard.

        Args:
            steps: the chain, with its models.
            report: gets the times.
            shared: whether others use the GPU's memory.
            pauses: before each further attempt at an image for which others left no memory, seconds.
        """
        self._steps = steps
        self._report = report
        self._shared = shared
        self._pauses = pauses
        self._failures = 0
        self._first: Exception | None = None
        self._proof: Scene | None = None

    def __call__(self, scenes: Sequence[Scene]) -> list[Outcome]:
        """Return the outcome for each image of a window, in order.

        Raises:
            Exception: what the models raise, if it is not about an image, or if they are to blame.
        """
        first: Exception | None = None
        try:
            outcomes = self._search(scenes)
        except Exception as error:
            if not _is_images_fault(error):
                raise
            first = error
            traceback.clear_frames(error.__traceback__)  # they hold the batch in the GPU's memory
            outcomes = [self._search_alone(scene) for scene in scenes]
        found = [scene for scene, outcome in zip(scenes, outcomes, strict=True) if not isinstance(outcome, Lost)]
        if found:
            self._proof = found[-1]
        elif first is not None:
            self._blame(first, sum(isinstance(one, Lost) and one.outcome == "error" for one in outcomes))
        return outcomes

    def judge(self) -> None:
        """After the last window: raise what the models raised, if several images failed and none succeeded."""
        if self._proof is None and self._first is not None and self._failures > 1:
            raise self._first

    def _search(self, scenes: Sequence[Scene]) -> list[Outcome]:
        return search(scenes, self._steps, self._report)

    def _search_alone(self, scene: Scene) -> Outcome:
        try:
            return self._patiently(scene)
        except Exception as error:
            if not _is_images_fault(error) or (is_out_of_memory(error) and self._shared()):
                raise
            return Lost(scene.key, "error", type(error).__name__, str(error))

    def _patiently(self, scene: Scene) -> Outcome:
        for pause in self._pauses:
            try:
                return self._search([scene])[0]
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            if not self._shared():
                break  # and once more: others may have left just now
            time.sleep(pause)
        return self._search([scene])[0]

    def _blame(self, error: Exception, failures: int) -> None:
        """Raise if it is the models that fail."""
        self._failures += failures
        self._first = self._first or error
        if failures and self._proof is not None:
            self._patiently(self._proof)
        elif self._failures > _FEW:
            raise error


def _is_images_fault(error: Exception) -> bool:
    return isinstance(error, _IMAGES_FAULT) or is_out_of_memory(error)
