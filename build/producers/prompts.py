"""What a detector is asked for: a class, what it is a kind of, and what that is a kind of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from fornet_hf.classes import ImageNetClass, imagenet_classes

_VOWELS = frozenset("aeiou")


def prompts_for(label: int, classes: Sequence[str] | None = None) -> tuple[str, ...]:
    """The prompts for a label, most specific first; each is one sentence that ends with a full stop.

    Args:
        label: index of the class.
        classes: names of the classes of another set; None for ImageNet-1k, whose classes have parents in WordNet.
            The classes of other sets give one prompt.
    """
    if classes is None:
        return imagenet_prompts(label)
    return (sentence(classes[label].replace("_", " ")),)


@cache
def imagenet_prompts(label: int) -> tuple[str, ...]:
    """Up to three prompts for one of ImageNet's classes: class, parent, grandparent.

    Each but the last says what it is a kind of: "a tench, a type of cyprinid.", "a cyprinid, a type of
    cypriniform fish.", "a cypriniform fish.". The same sentence is not asked twice.
    """
    names = _lineage(imagenet_classes()[label])
    kinds = [*names[1:], None]
    return tuple(dict.fromkeys(sentence(name, kind) for name, kind in zip(names, kinds, strict=True)))


def sentence(name: str, kind: str | None = None) -> str:
    """`a|an NAME, a type of KIND.`, in which only the first of several lemmas is named."""
    first = first_lemma(name)
    article = "an" if first[:1].lower() in _VOWELS else "a"
    return f"{article} {first}, a type of {first_lemma(kind)}." if kind else f"{article} {first}."


def first_lemma(names: str) -> str:
    """The first of WordNet's names for one thing: `tench` of `tench, Tinca tinca`."""
    return names.partition(",")[0].strip()


def _lineage(entry: ImageNetClass) -> list[str]:
    return [name for name in (entry.name, entry.parent, entry.grandparent) if name]
