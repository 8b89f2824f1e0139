"""Pretrained classifiers as witnesses of what a cut-out and a background show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache
from torch.nn import functional

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError, explain
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.score.score import Evidence
from producers.score.views import View

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """One classifier, of the same classes as the set.

    Attributes:
        name: as it was asked for, `timm:NAME` or `torchvision:NAME`.
        revision: of its weights.
        network: maps normalised images (n x 3 x side x side) to logits (n x classes).
        side: pixels.
        mean: of each colour, 0 to 1.
        std: of each colour.
    """

    name: str
    revision: str
    network: Any
    side: int = 224
    mean: tuple[float, ...] = _MEAN
    std: tuple[float, ...] = _STD

    def probabilities(self, images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
        """Of the true classes (n), for images of any size (float32, n x 3 x h x w, 0 to 1).

        Raises:
            ConfigurationError: the classifier has another number of classes, so that indices mean other things.
        """
        if images.shape[-1] != self.side:
            images = functional.interpolate(images, (self.side, self.side), mode="bicubic", antialias=True)
        mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        logits = self.network((images - mean) / std).float()
        if logits.shape[1] != classes:
            allowed = f"{classes}, those of the images"
            then = "Choose a classifier of the same classes in the same order, or none: --classifiers"
            raise ConfigurationError(
                explain(f"{self.name} has other classes", found=logits.shape[1], allowed=allowed, then=then)
            )
        true: torch.Tensor = logits.softmax(1).gather(1, labels[:, None])[:, 0]
        return true


@dataclass(frozen=True, kw_only=True)
class Witnesses:
    """Several classifiers, whose probabilities are averaged.

    Attributes:
        classifiers: at least one.
        placement: of them.
        greys: number of grey backgrounds, from black to white, on which a cut-out is shown.
        batch_size: versions at a time; a cut-out is there once for each grey.
    """

    classifiers: tuple[Classifier, ...]
    placement: Placement
    greys: int = 31
    batch_size: BatchSize = field(default_factory=lambda: BatchSize(16))

    @property
    def side(self) -> int:
        """Pixels at which views should be made: what the most demanding classifier wants."""
        return max(classifier.side for classifier in self.classifiers)

    def to_json(self) -> dict[str, Any]:
        """As JSON object."""
        return {"classifiers": {one.name: one.revision for one in self.classifiers}, "greys": self.greys}

    def evidence(self, views: Sequence[View], classes: int) -> list[Evidence]:
        """What they say about each version, of a set of so many classes.

        Raises:
            ConfigurationError: a classifier has another number of classes.
        """
        return run_batched(views, partial(self._evidence, classes), size=self.batch_size)

    def _evidence(self, classes: int, views: list[View]) -> list[Evidence]:
        labels = torch.tensor([one.label for one in views], device=self.placement.device)
        colours, backgrounds = (
            self._images([getattr(one, name) for one in views]) for name in ("colours", "background")
        )
        alpha = self._images([one.alpha[..., None] for one in views])
        greys = torch.linspace(0, 1, self.greys, device=self.placement.device).view(1, -1, 1, 1, 1)
        # colours are black outside of the object, so they are what alpha leaves of the cut-out already
        shown = (colours[:, None] + greys * (1 - alpha[:, None])).flatten(0, 1)
        repeated = labels.repeat_interleave(self.greys)
        with self.placement.inference():
            seen = self._mean([one.probabilities(shown, repeated, classes) for one in self.classifiers])
            left = self._mean([one.probabilities(backgrounds, labels, classes) for one in self.classifiers])
        seen = seen.view(len(views), -1).mean(1)
        return [Evidence(*pair) for pair in zip(seen.tolist(), left.tolist(), strict=True)]

    @staticmethod
    def _mean(probabilities: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack(probabilities).mean(0)

    def _images(self, arrays: list[np.ndarray]) -> torch.Tensor:
        stacked = torch.from_numpy(np.stack(arrays)).to(self.placement.device)
        return stacked.permute(0, 3, 1, 2).float() / 255


def load_witnesses(names: Sequence[str], placement: Placement, *, greys: int = 31, batch_size: int = 16) -> Witnesses:
    """The classifiers with their pretrained weights, fetched if need be.

    Raises:
        ConfigurationError: a name has another form, or is not known to its library.
        MissingDependencyError: a library is not installed.
        NotFoundError: weights cannot be fetched.
    """
    loaded = tuple(_load(name, placement.device) for name in names)
    return Witnesses(classifiers=loaded, placement=placement, greys=greys, batch_size=BatchSize(batch_size))


def _load(name: str, device: str) -> Classifier:
    library, _, model = name.partition(":")
    loaders = {"timm": _from_timm, "torchvision": _from_torchvision}
    if library not in loaders or not model:
        raise ConfigurationError(explain("unknown classifier", found=name, allowed="timm:NAME or torchvision:NAME"))
    try:
        return loaders[library](name, model, device)
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs {library} ({error}). Install it: pip install {library}"
        ) from error
    except OSError as error:
        then = "Load it once on a machine with a network; the cache of torch or of the Hub then has it."
        raise NotFoundError(explain(f"the weights of {name} cannot be loaded", found=error, then=then)) from error


def _from_timm(name: str, model: str, device: str) -> Classifier:
    import timm
    from timm.data.config import resolve_data_config

    try:
        network: Any = timm.create_model(model, pretrained=True)
    except RuntimeError as error:  # of which timm's error of unknown models is one
        raise ConfigurationError(explain(f"timm has no pretrained model {model}", found=error)) from error
    settings = resolve_data_config({}, model=network)
    return Classifier(
        name=name,
        revision=_timm_revision(network.pretrained_cfg),
        network=network.to(device).eval(),
        side=settings["input_size"][-1],
        mean=tuple(settings["mean"]),
        std=tuple(settings["std"]),
    )


def _timm_revision(settings: Mapping[str, Any]) -> str:
    """Repository and commit of the weights that were just loaded; no commit where they are not of the Hub."""
    repository = str(settings.get("hf_hub_id") or "")
    model, _, revision = repository.partition("@")
    for file in ("model.safetensors", "pytorch_model.bin") if model else ():
        path = try_to_load_from_cache(model, file, revision=revision or None)
        if isinstance(path, str):  # .../snapshots/COMMIT/FILE
            return f"{model}@{Path(path).parent.name}"
    return repository or str(settings.get("tag") or "pretrained")


def _from_torchvision(name: str, model: str, device: str) -> Classifier:
    from torchvision import models

    try:
        weights = models.get_model_weights(model).DEFAULT
    except ValueError as error:
        raise ConfigurationError(explain(f"torchvision has no model {model}", found=error)) from error
    settings = weights.transforms()
    return Classifier(
        name=name,
        revision=str(weights),
        network=models.get_model(model, weights=weights).to(device).eval(),
        side=settings.crop_size[0],
        mean=tuple(settings.mean),
        std=tuple(settings.std),
    )
