"""Choice of the images: as many of each class, and for each the backgrounds that it is mixed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.data.names import MIXED
from fornet_hf.evaluation.variants.definition import Corners
from fornet_hf.recombination.draw.rng import generator

_NAMED = 9  # classes that an error names


class Candidate(NamedTuple):
    """A row that fits all rules.

    Attributes:
        row: its number.
        label: number of its group.
        stem: of its files.
        box: of its object.
    """

    row: int
    label: int
    stem: str
    box: Corners


@dataclass(frozen=True)
class Plan:
    """The images of a set.

    Attributes:
        groups: names of the classes.
        items: the chosen images, of each class as many.
        eligible: images of each class that fit all rules.
        excluded: images that do not, by reason.
    """

    groups: Sequence[str]
    items: Sequence[Candidate]
    eligible: Sequence[int]
    excluded: Mapping[str, int]

    @property
    def per_class(self) -> int:
        """Number of images of each class."""
        return len(self.items) // len(self.groups)


def chosen(
    candidates: Sequence[Candidate],
    excluded: Mapping[str, int],
    groups: Sequence[str],
    seed: int,
    most: int | None = None,
) -> Plan:
    """Draw the images: of each class as many as the smallest class has, and `most` at most.

    Raises:
        ConfigurationError: a class has no image.
    """
    of_group: list[list[Candidate]] = [[] for _ in groups]
    for candidate in candidates:
        of_group[candidate.label].append(candidate)
    eligible = [len(own) for own in of_group]
    if empty := [name for name, count in zip(groups, eligible, strict=True) if not count]:
        left_out = ", ".join(f"{count:,} x {reason}" for reason, count in sorted(excluded.items()))
        names = ", ".join(empty[:_NAMED]) + (f" and {len(empty) - _NAMED:,} others" if len(empty) > _NAMED else "")
        then = "Name other classes with --taxonomy, or data that have them."
        raise ConfigurationError(
            explain(f"no image of {names} fits the rules", found=left_out or "other classes alone", then=then)
        )
    size = min(eligible) if most is None else min(*eligible, most)
    items: list[Candidate] = []
    for name, own in zip(groups, of_group, strict=True):
        by_stem = sorted(own, key=lambda one: one.stem)
        order = generator(seed, "variants", name).permutation(len(own))[:size]
        items += (by_stem[number] for number in sorted(order))
    return Plan(groups, items, eligible, excluded)


def background_of(plan: Plan, number: int, variant: str, seed: int, *, other_class: bool = False) -> int:
    """Draw the number of the item whose background an item is mixed with; an infilled variant has that of its twin.

    Args:
        plan: all items.
        number: of the item.
        variant: a mixed one.
        seed: of the draws.
        other_class: `mixed_rand` never has the item's own class.
    """
    kind = variant.removesuffix("_i")
    item, classes = plan.items[number], len(plan.groups)
    random = generator(seed, "variants", kind, item.stem)
    if kind == MIXED[0]:
        label = item.label
    elif kind == MIXED[1]:
        label = int(random.integers(classes - 1)) if other_class else int(random.integers(classes))
        label += other_class and label >= item.label
    else:
        label = (item.label + 1) % classes
    return label * plan.per_class + int(random.integers(plan.per_class))
