"""What a detector is asked for: a class and what it is a kind of, then its parent, then its grandparent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import zip_longest

from fornet_hf.classes import imagenet_classes

PARENTS = 2
"""Steps up from the class, each of which is a prompt of its own."""

_VOWELS = frozenset("aeiou")


def prompts_for(label: int, classes: Sequence[str] | None = None, parents: int = PARENTS) -> tuple[str, ...]:
    """Return the prompts for a label, most specific first; each is one sentence that ends with a full stop.

    Args:
        label: index of the class.
        classes: names of the classes of another set; None for ImageNet-1k, whose classes have parents in WordNet.
            The classes of other sets give one prompt.
        parents: steps up in WordNet, 0 or more.
    """
    if classes is None:
        return _imagenet_prompts(label, parents)
    return (sentence(first_name(classes[label])),)


@cache
def _imagenet_prompts(label: int, parents: int) -> tuple[str, ...]:
    """Return a sentence for the class and for each parent, all with what that is a kind of in turn.

    "a tench, a type of cyprinid.", "a cyprinid, a type of cypriniform fish.", "a cypriniform fish, a type of
    soft-finned fish." Only the root of WordNet is a kind of nothing. The same sentence is not asked twice.
    """
    names = imagenet_classes()[label].lineage
    pairs = list(zip_longest(names, names[1:]))[: 1 + parents]
    return tuple(dict.fromkeys(sentence(name, kind) for name, kind in pairs))


def sentence(name: str, kind: str | None = None) -> str:
    """Return `a|an NAME, a type of KIND.` in small letters, as the tokenizer of GroundingDINO reads it."""
    words = name.lower()
    article = "an" if words[:1] in _VOWELS else "a"
    return f"{article} {words}, a type of {kind.lower()}." if kind else f"{article} {words}."


def first_name(names: str) -> str:
    """Return the first of a class's names in natural words: `hot dog` of `hot_dog, frankfurter`."""
    return names.partition(",")[0].replace("_", " ").strip()
