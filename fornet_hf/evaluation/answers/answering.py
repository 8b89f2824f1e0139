"""A classifier on its device: classes and probabilities of batches, in halves where memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.answers.batches import is_of_worker
from fornet_hf.evaluation.answers.device import Fitting, out_of_memory
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier

if TYPE_CHECKING:
    import torch


class Asked:
    """A batch whose answers are perhaps still being computed and copied."""

    def __init__(self, classifier: Classifier, device: torch.device, columns: tuple[torch.Tensor, ...]) -> None:
        import torch

        self._name, self._done = classifier.name, None
        self._columns = [column.to("cpu", non_blocking=device.type == "cuda") for column in columns]
        if device.type == "cuda":  # copying once they are asked for would wait for all batches that follow, too
            self._done = torch.cuda.current_stream(device).record_event()

    def answers(self, name_of: Callable[[int], str]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return the class of each image, and the probability, 0 to 1, of its own class.

        Raises:
            ConfigurationError: one is NaN or infinity; `name_of` its place names the image.
        """
        if self._done is not None:
            self._done.synchronize()
        predicted, probability = (column.numpy() for column in self._columns)
        if (unsound := np.isnan(probability)).any():
            raise not_a_number(self._name, name_of(int(unsound.argmax())))
        return predicted, probability


class Answering:
    """A classifier on its device, which finds out how many images fit."""

    def __init__(self, classifier: Classifier, label_map: LabelMap, batch_size: int, device: torch.device) -> None:
        import torch

        self._classifier, self._device = classifier, device
        self._fitting = Fitting(batch_size, device, classifier.name)
        self._classes = torch.from_numpy(np.array(label_map.classes, np.int32)).to(device)

    def ask(self, labels: npt.NDArray[np.int64], images: Callable[[slice], torch.Tensor]) -> Asked:
        """Show a batch, which is halved as long as memory runs out.

        Args:
            labels: class of each image.
            images: gives those at some places (float32, n x 3 x height x width, 0 to 1, on the device).

        Raises:
            ConfigurationError: the classifier has other outputs than its label map.
        """
        import torch

        own = torch.from_numpy(labels)
        if self._device.type == "cuda":  # a copy from other memory would wait for the batch before
            own = own.pin_memory()
        made = self._fitting.each(len(labels), lambda some: self._answer(images(some), own[some]))
        return Asked(self._classifier, self._device, tuple(map(torch.cat, zip(*made, strict=True))))

    def _answer(self, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return classes and probabilities; NaN where the logits are no numbers."""
        import torch

        try:
            logits = self._classifier.logits(images)
        except RuntimeError as error:
            if out_of_memory(error) or is_of_worker(error):
                raise
            raise self._classifier.failure(error, len(images)) from error
        if logits.shape != (len(images), len(self._classes)):
            found, allowed = tuple(logits.shape), f"{len(images)} x {len(self._classes)}, as in the label map"
            message = explain(f"{self._classifier.name}: other outputs than expected", found=found, allowed=allowed)
            raise ConfigurationError(message)
        shares: Any = torch.softmax(logits, 1)
        own = self._classes == labels.to(self._device, non_blocking=True)[:, None]
        probability = torch.where(own, shares, 0.0).sum(1).clamp(max=1.0)
        sound = torch.isfinite(torch.logsumexp(logits, 1))
        return self._classes[logits.argmax(1)], torch.where(sound, probability, torch.nan)


def not_a_number(name: str, image: str) -> ConfigurationError:
    """Return the error of a classifier (its name) that answers an image with something else than numbers."""
    then = "Try --precision float32, and look at the weights."
    return ConfigurationError(explain(f"{name} answers with NaN or infinity", found=image, then=then))
