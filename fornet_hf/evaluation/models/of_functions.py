"""Classifiers that functions make: of one's own modules, or of repositories on GitHub through torch.hub."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.names import FORMS
from fornet_hf.evaluation.models.source import IMAGENET
from fornet_hf.packages import resolve


@dataclass(frozen=True)
class Function:
    """A function of one's own: without arguments it returns a pretrained classifier, or its network alone.

    Attributes:
        name: `package.module:function`.
    """

    name: str

    def pretrained(self) -> Classifier:
        """Return it with its weights."""
        return _classifier(self.name, self._function()())

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it as the function makes it, or with another number of classes."""
        parameters = inspect.signature(self._function()).parameters
        if classes is None and "num_classes" in parameters:
            usual = parameters["num_classes"].default
            classes = IMAGENET if usual is inspect.Parameter.empty else None
        return _classifier(self.name, self._function()(**({} if classes is None else {"num_classes": classes})))

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone."""
        return self._function()(num_classes=classes, **options)

    def _function(self) -> Callable[..., Any]:
        return resolve(self.name, f"unknown classifier {self.name}", FORMS)


@dataclass(frozen=True)
class TorchHub:
    """A model of a repository on GitHub, whose code is run; images are prepared as is usual for ImageNet.

    Attributes:
        model: `OWNER/REPO:REF/NAME`.

    Raises:
        ConfigurationError: the name has another form.
    """

    model: str

    def __post_init__(self) -> None:
        repository, _, name = self.model.rpartition("/")
        if not name or repository.count("/") < 1 or not repository.partition(":")[2]:
            allowed = "torchhub:OWNER/REPO:REF/NAME"
            raise ConfigurationError(explain("unknown classifier", found=f"torchhub:{self.model}", allowed=allowed))

    def pretrained(self) -> Classifier:
        """Return it with its weights."""
        return _classifier(self.model, self._call(pretrained=True))

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it with random weights."""
        options = {} if classes is None else {"num_classes": classes}
        return _classifier(self.model, self._call(pretrained=False, **options))

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone, with random weights."""
        return self._call(pretrained=False, num_classes=classes, **options)

    def _call(self, **options: Any) -> Any:
        import torch

        repository, _, name = self.model.rpartition("/")
        try:
            load: Any = torch.hub.load
            return load(repository, name, trust_repo=True, verbose=False, **options)
        except RuntimeError as error:  # among others: the repository has no such function
            raise ConfigurationError(explain(f"torchhub:{self.model} cannot be made", found=error)) from error


def _classifier(name: str, made: Any) -> Classifier:
    return made if isinstance(made, Classifier) else Classifier(name=name, revision="", network=made)
