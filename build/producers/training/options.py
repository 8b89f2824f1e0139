"""Options of a command line made from the fields of a configuration, whose presets give what they do not."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

from fornet_hf.errors import ConfigurationError, explain

Settings = TypeVar("Settings")


def option(default: Any, meaning: str, choices: tuple[str, ...] = ()) -> Any:
    """Return a field of a dataclass: its default, the help of its option, and of some texts those allowed."""
    return dataclasses.field(default=default, metadata={"meaning": meaning, "choices": choices})


def check_limits(settings: object, limits: Mapping[str, tuple[bool, str]]) -> None:
    """Raise a ConfigurationError that names an option whose value does not fit.

    Args:
        settings: the configuration.
        limits: whether the value fits, and what is allowed, by the name of its field.
    """
    for name, (fits, allowed) in limits.items():
        if not fits:
            raise ConfigurationError(explain(_flag(name), found=getattr(settings, name), allowed=allowed))


def add_options(parser: argparse.ArgumentParser, presets: Mapping[str, Any], default: str) -> None:
    """Add an option for each field, and `--preset`, which gives what they do not.

    Args:
        parser: of the command line.
        presets: instances of one dataclass, whose fields are made by `option`.
        default: name of the preset that holds if none is named.
    """
    parser.add_argument("--preset", choices=[*presets], default=default, help="values of all others (%(default)s)")
    group = parser.add_argument_group("values in place of the preset's")
    kind = type(presets[default])
    hints = get_type_hints(kind)
    for item in dataclasses.fields(kind):
        values = [_text(getattr(preset, item.name)) for preset in presets.values()]
        stated = values[0] if len({*values}) == 1 else " / ".join(values)
        reading = _reading(hints[item.name])
        if item.metadata["choices"]:
            reading = {"choices": item.metadata["choices"]}
        text = f"{item.metadata['meaning']} ({stated})"
        group.add_argument(_flag(item.name), help=text, default=argparse.SUPPRESS, **reading)


def asked(arguments: argparse.Namespace, presets: Mapping[str, Settings]) -> Settings:
    """Return the configuration that the options of `add_options` ask for.

    Raises:
        ConfigurationError: a value is not allowed.
    """
    preset: Any = presets[arguments.preset]
    names = {item.name for item in dataclasses.fields(preset)} & {*vars(arguments)}
    found: Settings = dataclasses.replace(preset, **{name: getattr(arguments, name) for name in names})
    return found


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _reading(kind: Any) -> dict[str, Any]:
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if kind == tuple[int, ...]:
        return {"type": _whole_numbers, "metavar": "VALUE"}
    of = [one for one in get_args(kind) if one is not type(None)]
    return {"type": _or_none(of[0]) if of else kind, "metavar": "VALUE"}


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        return None if text == "none" else kind(text)

    read.__name__ = kind.__name__  # which argparse puts into its message
    return read


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in text.split(",") if one)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 16,32,64") from error


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)) or "none"
