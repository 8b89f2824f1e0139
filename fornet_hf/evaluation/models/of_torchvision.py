"""Classifiers of torchvision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing, share


@dataclass(frozen=True)
class Torchvision:
    """A model of torchvision.

    Attributes:
        model: its name there; after `@` the name of its weights, such as IMAGENET1K_V1, else they are its default.
    """

    model: str

    def pretrained(self) -> Classifier:
        """Return it with its weights."""
        from torchvision import models

        weights = self._weights()
        return self._classifier(models.get_model(self._name, weights=weights), str(weights))

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it with random weights."""
        return self._classifier(self.network(len(self._weights().meta["categories"]) if classes is None else classes))

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone, with random weights."""
        from torchvision import models

        if self._name not in models.list_models():
            raise ConfigurationError(explain("torchvision has no such model", found=repr(self.model)))
        return models.get_model(self._name, weights=None, num_classes=classes, **options)

    @property
    def _name(self) -> str:
        return self.model.partition("@")[0]

    def _weights(self) -> Any:
        from torchvision import models

        weights = self.model.partition("@")[2] or "DEFAULT"
        try:
            known = models.get_model_weights(self._name)
        except ValueError as error:
            raise ConfigurationError(explain(f"torchvision has no model {self._name}", found=error)) from error
        if weights not in known.__members__:
            allowed = ", ".join(known.__members__)
            raise ConfigurationError(explain(f"{self._name} has no such weights", found=weights, allowed=allowed))
        return known[weights]

    def _classifier(self, network: Any, revision: str = "") -> Classifier:
        settings = self._weights().transforms()
        size = settings.crop_size[0]
        preprocessing = Preprocessing(
            size=size,
            crop=share(size, settings.resize_size[0]),
            interpolation=settings.interpolation.value,
            mean=tuple(settings.mean),
            std=tuple(settings.std),
        )
        return Classifier(name=self.model, revision=revision, network=network, preprocessing=preprocessing)
