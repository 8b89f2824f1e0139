"""A classifier's answers, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
from PIL import Image

from fornet_hf.classes import class_names
from fornet_hf.errors import ForNetError
from fornet_hf.evaluation import Classifier, load
from fornet_hf.evaluation.labels.mapping import IMAGENET
from shelf import short


class Judge:
    """A classifier that is loaded when it is first asked, in one of the forms of `fornet_hf.evaluation.load`.

    Attributes: `name`, as `load` takes it.
    """

    def __init__(self, name: str, classes: Sequence[str]) -> None:
        """`classes` are names, for a classifier that has as many outputs and no names of its own."""
        self.name = name
        self._classes = classes
        self._loaded: Classifier | ForNetError | None = None
        self._names: Sequence[str] = ()
        self._lock = Lock()

    def answers(self, images: Sequence[Image.Image]) -> list[dict[str, float]]:
        """Return for each image (RGB) the probability, 0 to 1, of each class by its name.

        Raises:
            ForNetError: the classifier cannot be loaded; it is not tried again.
        """
        classifier = self._classifier()
        import torch

        views = np.stack([classifier.preprocessing.prepared(image) for image in images])
        with torch.inference_mode():
            shares = classifier.logits(torch.from_numpy(views).float().div(255)).softmax(1)
        return [dict(zip(self._names, row, strict=True)) for row in shares.tolist()]

    def _classifier(self) -> Classifier:
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = load(self.name)
                    self._names = names_of(self._loaded, self._classes)
                except ForNetError as error:
                    self._loaded = error
        if isinstance(self._loaded, ForNetError):
            raise self._loaded
        return self._loaded


def names_of(classifier: Classifier, classes: Sequence[str]) -> list[str]:
    """Return unique short names of a classifier's outputs: its own, ImageNet's for 1000, or those of `classes`."""
    outputs = classifier.outputs
    usual = class_names() if outputs == IMAGENET else classes
    names = classifier.names or (usual if len(usual) == outputs else [f"output {n}" for n in range(outputs)])
    found: dict[str, None] = {}
    for number, name in enumerate(names):
        found.setdefault(next(one for one in (short(name), name, f"{name} ({number})") if one not in found))
    return list(found)


def best(answer: dict[str, float]) -> str:
    """Return the name of the most probable class."""
    return max(answer, key=lambda name: answer[name])
