"""Pickled NumPy arrays as data: a pickle is read, never run.

The standard library's unpickler imports what the bytes name and calls it. Restricting its
`find_class` is not enough: the bytes then still choose the arguments of NumPy's constructors, of which
some trust their caller (an object array made from bytes is a table of dangling pointers), and a few
bytes can make it reserve gigabytes for its memo. So this module walks over the opcodes itself. It knows
the few that a dictionary of integer arrays is made of, stands a `_Named` in for every global, and
builds the arrays itself once lengths and types have been checked.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fornet_hf.errors import PatchFormatError, explain

IntegerArray = NDArray[np.integer[Any] | np.bool_]

# NumPy 1 and 2 keep the same functions in differently named modules. None of them is ever called:
# the names only say which of the readers below is meant.
_ADMITTED = {
    "numpy.ndarray": "ndarray",  # the class, as the first argument of _reconstruct
    "numpy.dtype": "dtype",  # the element type of every array and scalar
    "numpy.core.multiarray._reconstruct": "array",  # an array of pickle protocol 3 and 4
    "numpy._core.multiarray._reconstruct": "array",
    "numpy.core.numeric._frombuffer": "buffer",  # an array of pickle protocol 5
    "numpy._core.numeric._frombuffer": "buffer",
    "numpy.core.multiarray.scalar": "scalar",  # offsets, when they were cut out of an array
    "numpy._core.multiarray.scalar": "scalar",
}
_ELEMENT_CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
_MAX_DIMENSIONS = 8
# A patch takes about 120. The bound keeps hostile files from taking long.
_MAX_OPCODES = 1000


@dataclass(frozen=True)
class _Named:
    """Stands for the global of that name."""

    role: str


@dataclass
class _ElementType:
    """Stands for a `numpy.dtype`; the byte order comes later, as its state."""

    code: str
    order: str = "<"


@dataclass
class _Array:
    """Stands for a `numpy.ndarray`; the elements come later, as its state."""

    values: IntegerArray | None = None


def unpickle(data: bytes) -> dict[str, object]:
    """Return the dictionary that `data` is the pickle (protocol 3 to 5) of.

    Keys are strings; values are integer or boolean arrays (read-only, of any byte order), or None,
    bool, int, str, bytes and tuples of these. Anything else raises PatchFormatError, which names the
    global or opcode that was asked for. No code is imported or called on behalf of the bytes.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= _MAX_OPCODES:
                raise PatchFormatError(explain("the pickle is too long", allowed=f"{_MAX_OPCODES} opcodes"))
            machine.step(opcode.name, argument)
        return machine.result()
    except PatchFormatError:
        raise
    except (ValueError, LookupError, DeprecationWarning) as error:
        # what pickletools raises on damage (the warning, where warnings are errors), an empty stack or memo
        raise PatchFormatError(explain("the pickle is damaged", found=f"{error} ({len(data)} bytes)")) from error


@dataclass
class _Machine:
    """The stack machine of the pickle format, without those opcodes that patches do not need."""

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def step(self, opcode: str, argument: Any) -> None:
        if opcode in _IGNORED:
            return
        if opcode in _LITERALS:
            self.stack.append(argument)
        elif opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode])
        elif opcode in _ACTIONS:
            _ACTIONS[opcode](self, argument)
        else:
            # INST carries the global it would call as text; other arguments can be of any size
            found = f"opcode {opcode} {_short(argument)}" if isinstance(argument, str) else f"opcode {opcode}"
            raise PatchFormatError(explain("the pickle does more than a patch may", found=found, allowed=_PLAIN))

    def result(self) -> dict[str, object]:
        value = self.stack.pop()
        if not isinstance(value, dict):
            raise PatchFormatError(explain("the pickle is no patch", found=kind(value), allowed="a dict"))
        return {key: _elements(item) if isinstance(item, _Array) else item for key, item in value.items()}

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def push_tuple(self, length: int) -> None:
        items = [self.stack.pop() for _ in range(length)]
        self.stack.append(tuple(reversed(items)))

    def push_global(self, name: str) -> None:
        if name not in _ADMITTED:
            message = explain(
                "the pickle asks for code that no patch needs, and it was not run",
                found=_short(name),
                allowed=", ".join(_ADMITTED),
                then="Do not open this file with other tools",
            )
            raise PatchFormatError(message)
        self.stack.append(_Named(_ADMITTED[name]))

    def push_named(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise PatchFormatError(explain("a global's name is no text", found=f"{kind(module)}, {kind(name)}"))
        self.push_global(f"{module}.{name}")

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, _Named):
            raise PatchFormatError(explain("the pickle calls what is no function", found=kind(function)))
        self.stack.append(_called(function.role, arguments))

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        match target, state:
            case _ElementType(), (3, ("<" | ">" | "|" | "=") as order, None, None, None, -1, -1, 0):
                target.order = order
            case _Array(values=None), (1, shape, _ElementType() as element, bool() as by_column, bytes() as raw):
                target.values = _array(raw, element, shape, by_column=by_column)
            case _:
                found = f"{kind(state)} for {kind(target)}"
                raise PatchFormatError(explain("an array's state is not NumPy's", found=found))

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise PatchFormatError(explain("items are set", found=kind(target), allowed="a dict"))
        for key, value in zip(items[::2], items[1::2], strict=True):
            # tuples as keys could take for ever to hash
            if not isinstance(key, str):
                raise PatchFormatError(explain("a key is no text", found=kind(key), allowed="str"))
            target[key] = value


_PLAIN = "a dict of arrays, tuples, numbers, text and bytes, pickled by protocol 3 to 5"
_IGNORED = frozenset({"PROTO", "FRAME", "STOP"})
_NUMBERS = frozenset({"BININT", "BININT1", "BININT2", "LONG1"})
_STRINGS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"})
_LITERALS = _NUMBERS | _STRINGS
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.push_tuple(1),
    "TUPLE2": lambda machine, _: machine.push_tuple(2),
    "TUPLE3": lambda machine, _: machine.push_tuple(3),
    "SETITEM": lambda machine, _: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "MEMOIZE": lambda machine, _: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    "BINPUT": lambda machine, index: machine.memo.__setitem__(index, machine.stack[-1]),
    "LONG_BINPUT": lambda machine, index: machine.memo.__setitem__(index, machine.stack[-1]),
    "BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.stack.append(machine.memo[index]),
    "GLOBAL": lambda machine, name: machine.push_global(name.replace(" ", ".", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.push_named(),
    "REDUCE": lambda machine, _: machine.reduce(),
    "BUILD": lambda machine, _: machine.build(),
}


def _called(role: str, arguments: object) -> object:
    """Return what the global of that role would have returned for `arguments`."""
    match role, arguments:
        case "dtype", (str() as code, bool(), bool()):
            if code not in _ELEMENT_CODES:
                allowed = ", ".join(_ELEMENT_CODES)
                raise PatchFormatError(explain("an array's element type", found=_short(code), allowed=allowed))
            return _ElementType(code)
        case "array", (_Named(role="ndarray"), (0,), b"b"):
            return _Array()
        case "buffer", ((bytes() | bytearray()) as raw, _ElementType() as element, shape, ("C" | "F") as order):
            return _Array(_array(raw, element, shape, by_column=order == "F"))
        case "scalar", (_ElementType() as element, bytes() as raw):
            return int(_array(raw, element, (), by_column=False))
    raise PatchFormatError(explain(f"the arguments of NumPy's {role} are not NumPy's own", found=kind(arguments)))


def _array(raw: bytes | bytearray, element: _ElementType, shape: object, *, by_column: bool) -> IntegerArray:
    """Make the read-only array over `raw`, only after its declared shape was found to fit its bytes."""
    if not isinstance(shape, tuple) or not all(type(side) is int for side in shape):
        raise PatchFormatError(explain("an array's shape", found=kind(shape), allowed="a tuple of int"))
    if len(shape) > _MAX_DIMENSIONS or any(side < 1 for side in shape):
        allowed = f"at most {_MAX_DIMENSIONS} sides, each at least 1"
        raise PatchFormatError(explain("an array's shape", found=_short(shape), allowed=allowed))
    expected = math.prod(shape) * int(element.code[1:])
    if expected != len(raw):
        found = f"{len(raw)} bytes for shape {_short(shape)} of {element.code}"
        raise PatchFormatError(explain("an array's length does not fit its shape", found=found))
    values: IntegerArray = np.frombuffer(raw, dtype=element.order + element.code)
    values.setflags(write=False)
    return values.reshape(shape, order="F" if by_column else "C")


def _elements(array: _Array) -> IntegerArray:
    if array.values is None:
        raise PatchFormatError(explain("an array has no elements", found="no state", allowed="NumPy's own state"))
    return array.values


def kind(value: object) -> str:
    """Return the name of a value's type, for messages; its text could be endless."""
    return type(value).__name__.lstrip("_")


def _short(value: object) -> str:
    """Return the text of a string or of a tuple of int, cut to a length that a message can hold."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
