"""Settings of a model, a dataclass, from text such as that of the command line, and to JSON."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain

_WORDS = {"true": True, "false": False}
_READERS: Mapping[object, Callable[[str], object]] = types.MappingProxyType(
    {int: int, float: float, str: str, Path: Path, bool: lambda text: _WORDS[text.lower()]}
)


def read_settings(kind: type[Any], given: Sequence[tuple[str, str]], whose: str) -> Any:
    """Return settings with the fields that are given as text; the others have their defaults.

    Annotations say how a field is read: `int`, `float`, `str`, `bool` (true or false), `Path`, `Literal`, a tuple of
    them (separated by commas), and `| None` (none).

    Args:
        kind: a dataclass.
        given: pairs of name and text; the last one of a name counts.
        whose: the model, for messages.

    Raises:
        ConfigurationError: there is no such field, its text is not of its type, or the dataclass refuses the values.
    """
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    if unknown := [name for name, _ in given if name not in fields]:
        what, allowed = f"unknown setting of {whose}", ", ".join(map(_described, fields.values()))
        raise ConfigurationError(explain(what, found=repr(unknown[0]), allowed=allowed))
    values = {}
    for name, text in given:
        try:
            values[name] = _read(hints[name], text)
        except (ValueError, KeyError) as error:
            what, allowed = f"the setting {name} of {whose}", _named(hints[name])
            raise ConfigurationError(explain(what, found=repr(text), allowed=allowed)) from error
    needed = [name for name, field in fields.items() if _default(field) is dataclasses.MISSING]
    if missing := [name for name in needed if name not in values]:
        raise ConfigurationError(explain(f"{whose} needs other settings, too", allowed=", ".join(missing)))
    return kind(**values)


def changed(settings: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that differ from their defaults, by name; empty for None."""
    fields = dataclasses.fields(settings) if settings is not None else ()
    values = {field.name: (getattr(settings, field.name), _default(field)) for field in fields if field.init}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, (value, default) in values.items()
        if value != default
    }


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _described(field: dataclasses.Field[Any]) -> str:
    value = _default(field)
    return field.name if value is dataclasses.MISSING else f"{field.name}={_text(value)}"


def _text(value: object) -> str:
    """Return what `_read` makes this value of."""
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _read(hint: Any, text: str) -> object:
    """Return the value that a text means.

    Raises:
        ValueError, KeyError: none of this type.
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if type(None) in parts and text.lower() == "none":
            return None
        (hint,) = (part for part in parts if part is not type(None))
        return _read(hint, text)
    if origin is typing.Literal:
        return {_text(value): value for value in parts}[text]
    if origin is tuple:
        words = text.split(",") if text else []
        if parts[-1] is Ellipsis:
            return tuple(_read(parts[0], word) for word in words)
        return tuple(_read(part, word) for part, word in zip(parts, words, strict=True))
    return _READERS[hint](text)


def _named(hint: Any) -> str:
    """Return the values of a type in words."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join("none" if part is type(None) else _named(part) for part in parts)
    if origin is typing.Literal:
        return " or ".join(map(_text, parts))
    if origin is tuple:
        return ",".join("..." if part is Ellipsis else _named(part) for part in parts)
    return "true or false" if hint is bool else str(getattr(hint, "__name__", hint))
