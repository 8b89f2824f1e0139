"""Arguments as users give them: numbers of NumPy, misspelt keywords, the same thing under two names."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import numpy as np

from fornet_hf.errors import ConfigurationError, explain


def plain(value: Any) -> Any:
    """Return the value with Python's own numbers in place of NumPy's scalars and arrays, also within a pair."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    return type(value)(map(plain, value)) if type(value) in (tuple, list) else value


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is an int or a float, but neither a bool nor NaN."""
    return not math.isnan(value) if isinstance(value, float) else is_integer(value)


def is_integer(value: object) -> TypeGuard[int]:
    """Return whether a value is an int, but no bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def require(fits: bool, name: str, found: object, allowed: str) -> None:  # noqa: FBT001
    """Raise ConfigurationError, naming a parameter, the value found and those allowed, unless the value fits."""
    if not fits:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(found), allowed=allowed))


def positive(name: str, value: Any) -> int:
    """Return the value as an int; raise ConfigurationError if it is no integer of at least 1."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(value), allowed="1 or more"))
    return number


def keywords(*callables: Callable[..., object]) -> list[str]:
    """Return the names of all arguments that these take."""
    parameters = [parameter for one in callables for parameter in inspect.signature(one).parameters.values()]
    variable = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return list(dict.fromkeys(parameter.name for parameter in parameters if parameter.kind not in variable))


def check_keywords(given: Iterable[str], allowed: Iterable[str]) -> None:
    """Raise ConfigurationError for keywords that are not allowed, naming only these and the nearest that are."""
    known = sorted(allowed)
    unknown = sorted(set(given) - set(known))
    if not unknown:
        return
    near = [match for name in unknown for match in difflib.get_close_matches(name, known, n=1)]
    then = f"Did you mean {', '.join(dict.fromkeys(near))}?" if near else None
    what = "unknown keywords" if len(unknown) > 1 else "unknown keyword"
    raise ConfigurationError(explain(what, found=", ".join(unknown), allowed=", ".join(known), then=then))


def either(**values: Any) -> Any:
    """Return the argument that was given under one of several names; None if under none.

    Raises:
        ConfigurationError: it was given under two names.
    """
    given = [name for name, value in values.items() if value is not None]
    if len(given) > 1:
        raise ConfigurationError(explain(f"{' and '.join(given)} were both given", allowed="one of them"))
    return values[given[0]] if given else None
