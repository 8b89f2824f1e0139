"""From a classifier's outputs to the classes of the data."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fornet_hf.classes import class_folders, class_names, imagenet_classes, name_index
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.labels.taxonomy import taxonomy_of
from fornet_hf.files import MAX_DOCUMENT_BYTES

IMAGENET = 1000  # classes, in the order of their WNIDs
_FILE = "a list of a class for each output, an object output: class, or CSV lines output,class"
_THEN = "Say in a file which class each output means: --labels FILE"


@dataclass(frozen=True, eq=False)
class LabelMap:
    """The class of the data for each output of a classifier.

    Attributes:
        classes: int32, a number for each output; `NO_LABEL`: none of the data's classes.
        note: says what was done to outputs in another order, or of other classes; empty: output i is class i.
    """

    classes: npt.NDArray[np.int32]
    note: str = ""


class Grouped(NamedTuple):
    """The classes that those of some data were made of.

    Attributes:
        names: of these classes, in label order.
        groups: for each the number of the class of the data, or -1.
    """

    names: Sequence[str]
    groups: npt.NDArray[np.int16]


def label_map(
    outputs: int,
    classes: Sequence[str],
    *,
    names: Sequence[str] = (),
    file: Path | None = None,
    grouped: Grouped | None = None,
) -> LabelMap:
    """Find the class of the data for each output of a classifier.

    Without a file, as many outputs as classes are taken to be in the order of the classes; if their names are those
    of the classes in another order, they are mapped by name. 1000 outputs are taken to be ImageNet's classes where
    those of the data are some of them, or ImageNet-9's. Else they may be the classes that the data's were made of.

    Args:
        outputs: how many there are.
        classes: names of the data's classes in label order.
        names: of the outputs, if the classifier has them.
        file: see `read_labels`.
        grouped: what the classes were made of, if that is known.

    Raises:
        ConfigurationError: the counts do not fit, also that of the names; the names have another order that is not
            clear, or 1000 outputs may have; outputs may be classes or what these were made of; or the file is wrong.
        NotFoundError: there is no such file.
    """
    if file is not None:
        return read_labels(file, outputs, classes)
    if len(names) not in (0, outputs):
        found = f"{len(names)} names for {outputs} outputs"
        raise ConfigurationError(explain("the classifier has names of other outputs", found=found, then=_THEN))
    if outputs == len(classes):
        if grouped and len(grouped.names) == outputs and grouped.groups.tolist() != [*range(outputs)]:
            found = f"{outputs} outputs for as many groups as classes, in another order"
            raise ConfigurationError(explain("outputs can be classes or groups of them", found=found, then=_THEN))
        unnamed = set(_known(names, classes)) <= {None}
        if outputs == IMAGENET and unnamed and _is_imagenet_in_another_order(classes):
            found = "1000 outputs without names, for ImageNet's classes in another order"
            raise ConfigurationError(explain("outputs can be in either order", found=found, then=_THEN))
        order, note = _order(names, classes)
        return LabelMap(order, note)
    targets = _of_imagenet(classes) if outputs == IMAGENET else None
    if targets is None and grouped and outputs in (len(grouped.names), IMAGENET):
        inner = label_map(outputs, grouped.names, names=names)
        meant = f"outputs mean {len(grouped.names)} classes, in {len(classes)} groups"
        groups = np.append(grouped.groups, NO_LABEL).astype(np.int32)  # at the end, where -1 is, that of none
        return LabelMap(groups[inner.classes], f"{meant}; {inner.note}" if inner.note else meant)
    if targets is None:
        found = f"{outputs} outputs for {len(classes)} classes, {_few(classes)}"
        raise ConfigurationError(explain("the classifier has other classes than the data", found=found, then=_THEN))
    order, note = _order(names, class_names())
    meant = f"of 1000 outputs in the order of ImageNet, {np.count_nonzero(targets >= 0)} mean classes of the data"
    return LabelMap(targets[order], f"{meant}; {note}" if note else meant)


def read_labels(file: Path, outputs: int, classes: Sequence[str]) -> LabelMap:
    """Read the class of each output from a file.

    JSON: a list with a class for each output, or an object in which the outputs' numbers have their classes. Any
    other file is CSV: lines `output,class`; a line `output,class` at the top is passed over. A class is its name or
    its number in the data; none is null, -1, or empty. Outputs that an object or a table does not mention have none.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is no such file, names a class or an output that is not there, an output twice, or no
            class at all.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    result = np.full(outputs, NO_LABEL, np.int32)
    for output, name in _entries(file, outputs):
        number = numbers.get(name, NO_LABEL) if isinstance(name, str) else name
        if isinstance(name, str) and number == NO_LABEL and re.fullmatch(r"-?\d+", name):
            number = int(name)
        if not 0 <= number < len(classes) and name not in ("", NO_LABEL, str(NO_LABEL)):
            allowed = f"{_few(classes)}, or numbers from 0 to {len(classes) - 1}"
            raise ConfigurationError(
                explain(f"{file}: output {output}: no such class", found=repr(name), allowed=allowed)
            )
        result[output] = number
    if (result == NO_LABEL).all():
        raise ConfigurationError(explain(f"{file}: no output means a class of the data", allowed=_FILE))
    lacking = [name for number, name in enumerate(classes) if number not in set(result.tolist())]
    note = f"outputs are mapped by {file.name}"
    return LabelMap(result, f"{note}; no output means {_few(lacking)}" if lacking else note)


def _entries(file: Path, outputs: int) -> list[tuple[int, str | int]]:
    """Return output and class of each entry; outputs are there once at most."""
    what = f"{file} is no map of outputs"
    try:
        if (size := file.stat().st_size) > MAX_DOCUMENT_BYTES:
            raise ConfigurationError(explain(what, found=f"{size} bytes", allowed=MAX_DOCUMENT_BYTES))
        text = file.read_text(encoding="utf-8-sig")
        pairs = _of_json(text, outputs) if file.suffix == ".json" else _of_csv(text)
    except FileNotFoundError as error:
        raise NotFoundError(f"no file {file}") from error
    except (TypeError, ValueError, RecursionError, csv.Error) as error:
        raise ConfigurationError(explain(what, found=error, allowed=_FILE)) from error
    for output, times in Counter(output for output, _ in pairs).items():
        if times > 1 or not 0 <= output < outputs:
            allowed = f"each from 0 to {outputs - 1} once, the classifier's outputs"
            raise ConfigurationError(explain(what, found=f"output {output}, {times} time(s)", allowed=allowed))
    return pairs


def _of_json(text: str, outputs: int) -> list[tuple[int, str | int]]:
    value: Any = json.loads(text, object_pairs_hook=list)  # pairs, so that none is lost
    if isinstance(value, list) and not any(isinstance(one, tuple) for one in value):
        if len(value) != outputs:
            raise ValueError(f"the list has {len(value)} classes for {outputs} outputs")
        value = list(enumerate(value))
    return [(int(output), _class(name)) for output, name in value]


def _of_csv(text: str) -> list[tuple[int, str | int]]:
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    return [(int(output), name.strip()) for output, name in rows if [output, name] != ["output", "class"]]


def _class(value: object) -> str | int:
    if value is None:
        return NO_LABEL
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"{value!r} is neither the name nor the number of a class")
    return value


def _order(names: Sequence[str], classes: Sequence[str]) -> tuple[npt.NDArray[np.int32], str]:
    """Return the class of each of as many outputs, and what is to be noted.

    Names that occur twice, or that are of no class, say nothing. If all others stand where they should, the order is
    that of the classes.
    """
    identity = np.arange(len(classes), dtype=np.int32)
    found = _known(names, classes)
    if all(number in (None, output) for output, number in enumerate(found)):
        return identity, ""
    if sorted(number for number in found if number is not None) == identity.tolist():
        return np.array(
            found, np.int32
        ), "the outputs have the data's classes in another order, and are mapped by name"
    output = next(output for output, number in enumerate(found) if number not in (None, output))
    text = f"output {output} is called {names[output]!r}, and so is class {found[output]}; not all names fit"
    raise ConfigurationError(explain("the classifier has another order of classes", found=text, then=_THEN))


def _is_imagenet_in_another_order(classes: Sequence[str]) -> bool:
    """Return whether most of a thousand classes have names of ImageNet's, and any of these stands elsewhere."""
    found = _known([one.name.partition(", ")[0] for one in imagenet_classes()], classes)
    places = [(output, number) for output, number in enumerate(found) if number is not None]
    return len(places) > IMAGENET // 2 and any(output != number for output, number in places)


def _known(names: Sequence[str], classes: Sequence[str]) -> tuple[int | None, ...]:
    """Return for each name the number of its class, by the naming that knows most of them; None: it is not clear."""
    places = [_places(names, known) for known in _namings(classes)]
    return max(places, key=lambda place: sum(number is not None for number in place))


def _namings(classes: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield the ways to name classes: as they are, and ImageNet's by WNID, by all names, and by the first."""
    yield classes
    if (numbers := _imagenet_numbers(classes)) is not None:
        entries = [imagenet_classes()[number] for number in numbers]
        yield from ([one.wnid for one in entries], [one.name for one in entries])
        yield [one.name.partition(", ")[0] for one in entries]


def _places(names: Sequence[str], known: Sequence[str]) -> tuple[int | None, ...]:
    """Return for each name the place where it is known; None where this is not clear."""
    plain = [[_plain(one) for one in some] for some in (names, known)]
    once = [{name for name, times in Counter(some).items() if times == 1} for some in plain]
    numbers = {name: number for number, name in enumerate(plain[1]) if name in once[1]}
    return tuple(numbers.get(name) if name in once[0] else None for name in plain[0])


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", " ", re.sub(r"^\d+_", "", name)).strip().casefold()


def _of_imagenet(classes: Sequence[str]) -> npt.NDArray[np.int32] | None:
    """Return the class of the data for each of ImageNet's; None if these are not ImageNet's, nor ImageNet-9's."""
    nine = taxonomy_of(class_folders(), "in9")
    if [_plain(name) for name in classes] == list(nine.names):
        return nine.groups.astype(np.int32)
    if (numbers := _imagenet_numbers(classes)) is None:
        return None
    result = np.full(IMAGENET, NO_LABEL, np.int32)
    result[numbers] = np.arange(len(numbers))
    return result


def _imagenet_numbers(classes: Sequence[str]) -> list[int] | None:
    """Return the numbers of classes in ImageNet; None if one is none of them, or there twice."""
    numbers = [name_index().get(name, NO_LABEL) for name in classes]
    return numbers if NO_LABEL not in numbers and len(set(numbers)) == len(numbers) else None


def _few(names: Sequence[str]) -> str:
    return "; ".join([*names[:3], *(["..."] if len(names) > 3 else [])])  # ImageNet's names have commas
