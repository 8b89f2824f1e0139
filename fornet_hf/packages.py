"""Packages: their names imported when first used, functions found by name, words for what is not installed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, cast

from fornet_hf.errors import ConfigurationError, MissingDependencyError, explain


def resolve(target: str, what: str, allowed: str | None = None) -> Callable[..., Any]:
    """Import a function.

    Args:
        target: `package.module:function`.
        what: the fault, for the message, if there is none.
        allowed: the names to choose from, likewise.

    Raises:
        ConfigurationError: there is no such module or function, or the module cannot be imported.
        ImportError: the module needs another one that is not installed.
    """
    try:
        function = pkgutil.resolve_name(target)
    except ImportError as error:
        if not f"{target.partition(':')[0]}.".startswith(f"{error.name}."):
            raise
        then = "Install its package, or put the folder that holds it into PYTHONPATH."
        raise ConfigurationError(explain(what, found=error, allowed=allowed, then=then)) from error
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        raise ConfigurationError(explain(what, found=found, allowed=allowed)) from error
    if not callable(function):
        raise ConfigurationError(explain(what, found=f"{target}, which is no function", allowed=allowed))
    return cast("Callable[..., Any]", function)


@contextlib.contextmanager
def needing(what: str, packages: str = "") -> Iterator[None]:
    """Turn a failed import into an error that says what to type."""
    try:
        yield
    except MissingDependencyError:  # which says it already
        raise
    except ImportError as error:
        message = f"{what} cannot be used ({error}). Install it: pip install {packages or error.name}"
        raise MissingDependencyError(message) from error


@functools.cache
def optional(name: str) -> Any:
    """Return a module that makes things faster where it is installed; else None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def lazy(
    package: str, homes: Mapping[str, str], modules: Collection[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package that imports its names when they are first used (PEP 562).

    Args:
        package: its name.
        homes: module in the package by the name that it exports.
        modules: those in the package that nobody needs to import by themselves.
    """

    def attribute(name: str) -> Any:
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name != "torch":  # the one package that whole modules do without until a name is used
                raise
            with needing(f"{package}.{name}"):
                raise

    return attribute, lambda: sorted(homes)
