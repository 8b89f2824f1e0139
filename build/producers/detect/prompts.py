"""Prompts, which say what to look for: a class and what it is a kind of, then its parent, then its grandparent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path
from urllib.parse import unquote

from fornet_hf.arguments import require
from fornet_hf.classes import imagenet_classes, wnid_index
from fornet_hf.errors import ConfigurationError, NotFoundError, explain

_VOWELS = frozenset("aeiou")
_SENTENCE = re.compile(r"(?:(?:an?|the) +)?(?P<name>.+?)(?:, a type of (?P<kind>.+?))?\.?", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"^\d+\.(?=[^\W\d_])")  # of a class, as in CUB-200-2011 and Caltech-256


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The prompts for each class; a plain value that travels to worker processes.

    Attributes:
        parents: steps up from a class of ImageNet, each of which is a prompt of its own, 0 or more.
        given: prompts by class folder (a WNID for ImageNet), in place of those that the class's name makes.
        digest: of the file that gives them; empty where there is none.
        objects: names of what to look for in all images, each of them a prompt, in place of all others.
    """

    parents: int = 2
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digest: str = ""
    objects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.objects:
            require(bool(name.strip(" .")), "the name of an object", name, "words, such as red fox")

    def of(self, label: int, classes: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return the prompts for a label, most specific first; each is one sentence that ends with a full stop.

        Args:
            label: index of the class.
            classes: names of the classes of another set; None for ImageNet-1k, whose classes have parents in
                WordNet. The classes of other sets give one prompt.
        """
        if self.objects:
            return tuple(dict.fromkeys(sentence(name.strip().removesuffix(".")) for name in self.objects))
        folder = imagenet_classes()[label].wnid if classes is None else classes[label]
        if folder in self.given:
            return self.given[folder]
        return _imagenet_prompts(label, self.parents) if classes is None else (sentence(first_name(folder)),)

    def check(self, classes: Sequence[str] | None) -> None:
        """Raise a ConfigurationError if prompts are given for a class that is not one of these."""
        known = wnid_index().keys() if classes is None else set(classes)
        if unknown := [name for name in self.given if name not in known]:
            allowed = f"names of class folders, such as {min(known)}"
            raise ConfigurationError(
                explain("--prompts names classes that are not there", found=unknown[:5], allowed=allowed)
            )

    def to_json(self) -> dict[str, object]:
        """Return what a run notes about them."""
        if self.objects:
            return {"objects": list(self.objects)}
        return {"parents": self.parents, **({"file": f"sha256:{self.digest}"} if self.digest else {})}


def read_prompts(path: Path, parents: int = Prompts.parents) -> Prompts:
    """Return the prompts of a JSON file: `{"n01440764": ["a tench.", "a fish."], "red_fox": ["a fox."]}`.

    Classes without an entry keep the prompts that their name makes. A full stop is added where one is missing,
    because GroundingDINO was trained on sentences.

    Raises:
        NotFoundError: there is no such file.
        ConfigurationError: it is not JSON of that form.
    """
    value, digest = read_given(path, "prompts")
    if not isinstance(value, dict):
        allowed = 'an object like {"CLASS": ["a cat."]}'
        raise ConfigurationError(explain(f"{path}: not a file of prompts", found=repr(value)[:80], allowed=allowed))
    given = {name: _sentences(value[name], f"{path}, {name}") for name in value}
    return Prompts(parents=parents, given=given, digest=digest)


def read_given(path: Path, what: str) -> tuple[object, str]:
    """Return the value in a JSON file, and the SHA-256 of its bytes as 64 hexadecimal digits.

    Raises:
        NotFoundError: there is no such file; the message calls it the file of `what`.
        ConfigurationError: it is not JSON.
    """
    if not path.is_file():
        raise NotFoundError(explain(f"the file of {what} is missing", found=f"no file {path}"))
    data = path.read_bytes()
    try:
        return json.loads(data), hashlib.sha256(data).hexdigest()
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(explain(f"{path}: not valid JSON", found=error)) from error


def _sentences(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one.strip(" .") for one in value):
        allowed = 'a list of sentences, such as ["a cat."]'
        raise ConfigurationError(explain(f"{where}: not prompts", found=repr(value)[:80], allowed=allowed))
    return tuple(dict.fromkeys(one.strip().removesuffix(".") + "." for one in value))


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
    """Return the first of a class's names in natural words, without a number in front.

    `hot dog` of `hot_dog, frankfurter`, `c/v` of `c%2Fv`, `Northern Flicker` of `036.Northern_Flicker`.
    """
    return _NUMBER.sub("", unquote(names.partition(",")[0]), count=1).replace("_", " ").strip()


def name_and_kind(prompt: str) -> tuple[str, str]:
    """Return what `sentence` was given for a prompt: the name, and what that is a type of or nothing.

    `tench` and `fish` of `a tench, a type of fish.`
    """
    match = _SENTENCE.fullmatch(prompt.strip())
    return (match["name"], match["kind"] or "") if match else ("", "")
