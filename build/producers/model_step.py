"""A step for scenes, and models that are one by themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from producers.scene import Identity, Scene


class Step(ABC):
    """Fills fields of a batch of scenes.

    Attributes:
        stage: the work, as a report names it: `detect`, `segment`, `refine` or `infill`.
        needs: fields of `Scene` that earlier steps must have filled.
        gives: fields of `Scene` that it fills.
    """

    stage: str = "segment"
    needs: frozenset[str] = frozenset()
    gives: frozenset[str] = frozenset()

    @abstractmethod
    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the same scenes in the same order, with the fields that it gives."""

    def items(self, scene: Scene) -> int:  # noqa: ARG002
        """Return for how many items of its model's batches a scene counts; with 0 it does not wait for others."""
        return 1

    @property
    def worker(self) -> object:
        """The model that does the work in batches, as its `batch_size` and `bucket` say if it has them."""
        return self


class ModelStep(Step):
    """A model that is a step by itself, because it finds and segments at once, say."""

    @property
    @abstractmethod
    def identity(self) -> Identity:
        """The model, as the manifest names it."""


class SegmentByPrompts(ModelStep):
    """A model that finds the objects which prompts describe, without boxes."""

    needs, gives = frozenset({"prompts"}), frozenset({"masks"})
