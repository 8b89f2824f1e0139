"""Functions that load models, those of other packages among them: looked at before use."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from producers.step import ADAPTERS, ModelStep, Step

OPTIONS = frozenset({"placement", "model", "revision", "batch_size", "threshold", "text_threshold"})
"""The keywords that a function which loads a model may take."""


def signature_of(role: str, name: str, function: Callable[..., Any]) -> tuple[frozenset[str], bool, type[Step]]:
    """Return the options that a function takes, whether a model must be given, and the step that this makes.

    The class that it returns is read off its annotation; a class returns itself.

    Raises:
        ConfigurationError: it needs other parameters, or returns no model of this role, as far as it says.
    """
    parameters = inspect.signature(function).parameters.values()
    named = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    takes = OPTIONS if any(one.kind is one.VAR_KEYWORD for one in parameters) else {one.name for one in named}
    required = {one.name for one in named if one.default is one.empty}
    if others := sorted(required - {"placement", "model"}):
        allowed = f"{', '.join(sorted(OPTIONS))}; all but placement and model need a default"
        raise ConfigurationError(
            explain(f"the {role} {name} has parameters that nobody fills", found=", ".join(others), allowed=allowed)
        )
    made = function if inspect.isclass(function) else _returned(function)
    if not inspect.isclass(made):
        raise _no_model(role, name, f"{made}")
    if issubclass(made, ModelStep):
        return OPTIONS & takes, "model" in required, made
    if not callable(getattr(made, ADAPTERS[role].stage, None)):
        raise _no_model(role, name, made.__name__)
    return OPTIONS & takes, "model" in required, ADAPTERS[role]


def _returned(function: Callable[..., Any]) -> object:
    """Return the annotated class, or words for its absence."""
    try:
        return typing.get_type_hints(function).get("return", "no annotation")
    except (NameError, TypeError) as error:
        return f"an annotation that cannot be read ({error})"


def check_model(role: str, name: str, model: object) -> None:
    """Raise a ConfigurationError if a function has returned no model of this role."""
    usable = isinstance(model, ModelStep) or callable(getattr(model, ADAPTERS[role].stage, None))
    if not usable or not hasattr(model, "identity"):
        raise _no_model(role, name, type(model).__name__)


def _no_model(role: str, name: str, found: str) -> ConfigurationError:
    allowed = f"a class with `{ADAPTERS[role].stage}` and `identity`, or derived from producers.step.ModelStep"
    then = "A function says by its annotation which class it returns."
    return ConfigurationError(
        explain(f"the {role} {name} returns no {role}", found=found, allowed=allowed, then=then)
    )
