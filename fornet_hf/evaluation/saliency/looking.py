"""A classifier on its device, asked where it looks: importance of pixels, and its share on the foregrounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.answers.answering import not_a_number
from fornet_hf.evaluation.answers.device import Fitting, computing, on_device
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.saliency.importance import importance
from fornet_hf.evaluation.saliency.layers import TargetLayer, target_layer
from fornet_hf.evaluation.stimuli.protocol import Stimuli

if TYPE_CHECKING:
    import torch


class Masked(Stimuli, Protocol):
    """Stimuli whose foregrounds are known."""

    def masked(
        self, item: int, preprocessing: Preprocessing
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]] | str:
        """Return an item's original image and its mask, or why it is not shown.

        The image is uint8, 3 x size x size; the mask float32, size x size: the share of each pixel, 0 to 1, that is
        foreground.
        """
        ...


class Looking:
    """A classifier on its device, which finds out how many images fit."""

    def __init__(
        self,
        classifier: Classifier,
        label_map: LabelMap,
        stimuli: Masked,
        saliency: SaliencyConfig,
        device: torch.device,
        batch_size: int,
    ) -> None:
        self._classifier, self._saliency, self._device = classifier, saliency, device
        self._fitting = Fitting(batch_size, device, f"{classifier.name}, saliency")
        self._keys, self._labels = stimuli.keys, np.asarray(stimuli.labels)
        self._classes = np.asarray(label_map.classes)
        self._layer: TargetLayer | None = None

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Have the classifier on the device, and all in float32, meanwhile."""
        with on_device([self._classifier.network], self._device), computing(self._device, "float32"):
            yield

    def means(self, item: int) -> bool:
        """Return whether a class of an item can be explained."""
        label = self._labels[item]
        return self._saliency.explained == "prediction" or bool(label >= 0 and (self._classes == label).any())

    def maps(self, items: Sequence[int], images: torch.Tensor) -> dict[str, npt.NDArray[np.float32]]:
        """Return the importance of each pixel, n x size x size, by method.

        A batch is halved as long as memory runs out, as by `shares`; both raise alike.

        Args:
            items: whose images they are.
            images: uint8, n x 3 x size x size.

        Raises:
            ConfigurationError: the classifier answers NaN or infinity, or has no layer that is needed.
        """
        made = self._fitting.each(len(items), lambda some: self._maps(items[some], images[some]))
        return {name: np.concatenate([maps[name].cpu().numpy() for maps in made]) for name in self._saliency.methods}

    def shares(self, items: Sequence[int], images: torch.Tensor, masks: torch.Tensor) -> npt.NDArray[np.float64]:
        """Return the share of the importance that is on the foregrounds, n x methods; NaN where there is none at all.

        Args:
            items: whose images they are.
            images: uint8, n x 3 x size x size.
            masks: float32, n x size x size, 0 to 1.
        """
        made = self._fitting.each(len(items), lambda some: self._shares(items[some], images[some], masks[some]))
        return np.concatenate(made)

    def _shares(self, items: Sequence[int], images: torch.Tensor, masks: torch.Tensor) -> npt.NDArray[np.float64]:
        import torch

        foregrounds = masks.to(self._device)
        columns = []
        for one in self._maps(items, images).values():
            relative = one / one.amax((1, 2), keepdim=True)  # sums of any map then fit float32; 0/0 is NaN
            columns.append((relative * foregrounds).mean((1, 2)) / relative.mean((1, 2)))
        shares: npt.NDArray[np.float64] = torch.stack(columns, 1).cpu().double().numpy()
        return shares

    def _maps(self, items: Sequence[int], images: torch.Tensor) -> dict[str, torch.Tensor]:
        import torch

        shown = images.to(self._device).float() / 255
        candidates = None
        if self._saliency.explained == "label":
            wanted = self._classes == self._labels[list(items)][:, None]
            candidates = torch.from_numpy(wanted).to(self._device)
        if self._layer is None and set(self._saliency.methods) & {"gradcam", "gradcam++"}:
            self._layer = target_layer(self._classifier, shown[:1], self._saliency.layer)
        maps = importance(
            self._classifier, shown, candidates, config=self._saliency, layer=self._layer, batch=self._fitting.size
        )
        sound = torch.stack([one.isfinite().flatten(1).all(1) for one in maps.values()]).all(0).cpu()
        if not sound.all():
            raise not_a_number(self._classifier.name, f"item {self._keys[items[int(sound.int().argmin())]]}")
        return maps
