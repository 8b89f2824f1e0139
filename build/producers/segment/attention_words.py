"""Objects in words: what prompts ask for, and the tokens of a sentence that stand for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from producers.detect.prompts import name_and_kind


def objects(prompts: Sequence[str], *, parents: bool = False) -> dict[str, str]:
    """Return the names of the objects that prompts describe, each with its prompt.

    "a tench, a type of cyprinid." describes a tench. A prompt for what an earlier one is a type of describes the same
    object, less exactly.

    Args:
        prompts: sentences as `producers.detect.prompts.sentence` makes them, or others.
        parents: whether such prompts count, too.
    """
    found: dict[str, str] = {}
    kinds: set[str] = set()
    for prompt in prompts:
        name, kind = name_and_kind(prompt)
        if name and (parents or name not in kinds):
            found.setdefault(name, prompt)
        kinds.add(kind)
    return found


@dataclass(frozen=True)
class Phrase:
    """A sentence for the network.

    Attributes:
        text: the sentence.
        tokens: those that stand for the object, from 0, which begins the sentence.
    """

    text: str
    tokens: tuple[int, ...]


def phrase(tokenizer: Any, template: str, name: str, words: Sequence[str] = ()) -> Phrase:
    """Return the sentence for an object.

    Args:
        tokenizer: of transformers, one that knows where in the text its tokens are.
        template: the sentence, with `{}` in place of the name.
        name: of the object; its tokens count, however many they are.
        words: of the sentence, or numbers of tokens, that count in place of the name.

    Raises:
        ConfigurationError: the sentence has no such word, or a token that counts is cut off, as there are too many.
    """
    text, spans = _filled(template, name)
    limit: int = tokenizer.model_max_length
    numbers = {int(word) for word in words if word.isdecimal()}
    if words:
        spans = [span for word in words if not word.isdecimal() for span in _found(word, text)]
    places = tokenizer(text, truncation=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    numbers |= {
        index
        for index, (start, end) in enumerate(places)
        if any(start < last and first < end for first, last in spans)
    }
    if max(numbers, default=limit) >= limit - bool(len(places) > limit):
        what = f"the object's words are not among the {limit} tokens that the network reads"
        raise ConfigurationError(explain(what, found=text, then="Give a shorter name, by --object or --prompts."))
    return Phrase(text, tuple(sorted(numbers)))


def _filled(template: str, name: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the sentence, and where in it the name begins and ends."""
    text, *rest = template.split("{}")
    spans = []
    for part in rest:
        spans.append((len(text), len(text) + len(name)))
        text += name + part
    return text, spans


def _found(word: str, text: str) -> list[tuple[int, int]]:
    """Return where a word is in a sentence."""
    spans = [match.span() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)]
    if not spans:
        allowed = f"words of {text!r}, or numbers of tokens"
        raise ConfigurationError(explain("tokens are not in the prompt", found=repr(word), allowed=allowed))
    return spans
