"""The command line: an option for each field of the configuration, and a preset with other defaults."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from fornet_hf.arguments import check_keywords
from training.config import EVALUATIONS, TrainConfig, require
from training.presets import names, read_preset

_ONE = {int | None: int, str | None: str}  # of an option that may be left out


def parse(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Return the configuration that the command line gives.

    Raises:
        ConfigurationError: a value that is not allowed, or an unknown preset.
        NotFoundError: no such file of a preset.
    """
    parser = argparse.ArgumentParser(description="Train a classifier on ForNet.", allow_abbrev=False)
    parser.add_argument(
        "--preset", metavar="NAME|FILE", help=f"settings that options overrule: {', '.join(names())}, or a JSON file"
    )
    hints = get_type_hints(TrainConfig)
    for item in dataclasses.fields(TrainConfig):
        parser.add_argument(f"--{item.name.replace('_', '-')}", **_argument(item, hints[item.name]))
    given = vars(parser.parse_args(arguments))
    preset = given.pop("preset")
    return configured({} if preset is None else read_preset(preset), given)


def configured(*layers: Mapping[str, Any]) -> TrainConfig:
    """Return a configuration in which each layer of fields overrules those before it; objects are joined.

    Raises:
        ConfigurationError: a value that is not allowed, or a name of no field.
    """
    hints = get_type_hints(TrainConfig)
    values: dict[str, Any] = {}
    defaults = {item.name: _default(item) for item in dataclasses.fields(TrainConfig)}
    for layer in layers:
        check_keywords(layer, hints)
        for name, value in layer.items():
            if hints[name] == dict[str, Any] and isinstance(value, Mapping):
                values[name] = {**values.get(name, defaults[name]), **value}
            else:
                values[name] = value
    return TrainConfig(**values)


def _argument(item: dataclasses.Field[Any], kind: Any) -> dict[str, Any]:
    """Return the options of `add_argument` for a field; one that is not given stays out of the result."""
    help_ = f"{item.metadata['meaning']} ({_default(item)})".replace("%", "%%")
    options: dict[str, Any] = {"default": argparse.SUPPRESS, "help": help_}
    if kind is bool:
        return {**options, "action": argparse.BooleanOptionalAction}
    if kind == dict[str, Any]:
        return {**options, "nargs": "*", "metavar": "NAME=VALUE", "action": _Pairs}
    if kind == tuple[str, ...]:
        return {**options, "nargs": "*", **({"choices": EVALUATIONS} if item.name == "evaluate" else {})}
    if kind == tuple[int, ...]:
        return {**options, "nargs": "*", "type": int}
    return {**options, "type": _ONE.get(kind, kind)}


def _default(item: dataclasses.Field[Any]) -> Any:
    return item.default if item.default_factory is dataclasses.MISSING else item.default_factory()


class _Pairs(argparse.Action):
    """Words NAME=VALUE, whose values are JSON or words."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, words: Any, _option: Any = None) -> None:
        pairs = {}
        for word in words:
            name, equals, value = word.partition("=")
            require(bool(equals), self.dest, word, "NAME=VALUE")
            try:
                pairs[name] = json.loads(value)
            except json.JSONDecodeError:  # a word without quotes
                pairs[name] = value
        setattr(namespace, self.dest, pairs)
