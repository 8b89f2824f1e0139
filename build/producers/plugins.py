"""Functions that load models, those of other packages among them: looked at before use."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from producers.step import ADAPTERS, ModelStep, Step

OPTIONS = frozenset({"placement", "model", "revision", "batch_size", "threshold", "text_threshold"})
"""The keywords that a function which loads a model may take, beside `settings`."""


@dataclass(frozen=True)
class Signature:
    """All that a registration says of a function which loads a model, under the same names."""

    takes: frozenset[str]
    needs_model: bool
    settings: str
    step: type[Step]


def signature_of(role: str, name: str, function: Callable[..., Any]) -> Signature:
    """Return what a function says of itself.

    The class that it returns is read off its annotation, as is that of its settings; a class returns itself.

    Raises:
        ConfigurationError: it needs other parameters, or returns no model of this role, as far as it says.
    """
    parameters = inspect.signature(function).parameters.values()
    named = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    takes = OPTIONS if any(one.kind is one.VAR_KEYWORD for one in parameters) else {one.name for one in named}
    required = {one.name for one in named if one.default is one.empty}
    if others := sorted(required - {"placement", "model"}):
        allowed = f"{', '.join(sorted({*OPTIONS, 'settings'}))}; all but placement and model need a default"
        raise ConfigurationError(
            explain(f"the {role} {name} has parameters that nobody fills", found=", ".join(others), allowed=allowed)
        )
    return Signature(
        takes=OPTIONS & takes,
        needs_model="model" in required,
        settings=_settings(role, name, function) if "settings" in {one.name for one in named} else "",
        step=_step(role, name, function),
    )


def _step(role: str, name: str, function: Callable[..., Any]) -> type[Step]:
    """Return the step that the model of a function makes."""
    made = function if inspect.isclass(function) else _annotation(function, "return")
    if not inspect.isclass(made):
        raise _no_model(role, name, f"{made}")
    if issubclass(made, ModelStep):
        return made
    if not callable(getattr(made, ADAPTERS[role].stage, None)):
        raise _no_model(role, name, made.__name__)
    return ADAPTERS[role]


def _settings(role: str, name: str, function: Callable[..., Any]) -> str:
    """Return `module:class` of the settings that a function takes."""
    found = _annotation(function.__init__ if inspect.isclass(function) else function, "settings")
    kinds = [one for one in typing.get_args(found) or (found,) if dataclasses.is_dataclass(one)]
    if len(kinds) != 1 or not inspect.isclass(kinds[0]):
        what = f"the {role} {name} does not say which settings it takes"
        raise ConfigurationError(explain(what, found=f"{found}", allowed="a dataclass as annotation of `settings`"))
    return f"{kinds[0].__module__}:{kinds[0].__qualname__}"


def _annotation(function: Callable[..., Any], name: str) -> object:
    """Return an annotation of a function, or words for its absence."""
    try:
        return typing.get_type_hints(function).get(name, "no annotation")
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
