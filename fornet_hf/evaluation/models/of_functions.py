"""Classifiers that functions make: of one's own modules, or of repositories on GitHub through torch.hub."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, ForNetError, explain
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
        return self._made()

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it as the function makes it, or with another number of classes."""
        parameters = inspect.signature(self._function()).parameters
        if classes is None and "num_classes" in parameters:
            usual = parameters["num_classes"].default
            classes = IMAGENET if usual is inspect.Parameter.empty else None
        return self._made(**({} if classes is None else {"num_classes": classes}))

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone."""
        return self._function()(num_classes=classes, **options)

    def _made(self, **options: Any) -> Classifier:
        """Call the function.

        Raises:
            ConfigurationError: it fails, or returns something else.
        """
        function = self._function()
        try:
            made = function(**options)
        except (ForNetError, ImportError):
            raise
        except Exception as error:  # of anybody's code
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f" ({Path(frame.filename).name}, line {frame.lineno})" if frame.filename != __file__ else ""
            found = f"{type(error).__name__}: {error}{place}"
            then = f"It is called as {self.name.partition(':')[2]}({_written(options)}): all else needs a default."
            raise ConfigurationError(explain(f"{self.name} fails", found=found, then=then)) from error
        if not (isinstance(made, Classifier) or callable(made)):
            allowed = "a network of torch, or a fornet_hf.evaluation.Classifier"
            message = explain(f"{self.name} returns no classifier", found=repr(made), allowed=allowed)
            raise ConfigurationError(message)
        return _classifier(self.name, made)

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


def _written(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _classifier(name: str, made: Any) -> Classifier:
    return made if isinstance(made, Classifier) else Classifier(name=name, revision="", network=made)
