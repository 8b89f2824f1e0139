"""Types of fields, as their annotations say: a JSON file may have anything in their places."""

from __future__ import annotations

import types
from typing import Any, get_args, get_origin

from fornet_hf.arguments import is_integer, is_number

_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "words",
    tuple: "a list",
    dict: "an object",
}


def has_kind(value: object, kind: Any) -> bool:
    """Return whether a value is of a field's type; integers are numbers, too."""
    inner = get_args(kind)
    if isinstance(kind, types.UnionType):
        return any(has_kind(value, one) for one in inner)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(has_kind(one, inner[0]) for one in value)
    if kind in (int, float):
        return is_integer(value) if kind is int else is_number(value)
    return isinstance(value, get_origin(kind) or kind)


def in_words(kind: Any) -> str:
    """Return a field's type in words."""
    if isinstance(kind, types.UnionType):
        return ", or ".join(in_words(one) for one in get_args(kind))
    if get_origin(kind) is tuple:
        return f"a list, each {in_words(get_args(kind)[0])}"
    return _WORDS.get(get_origin(kind) or kind, "null")
