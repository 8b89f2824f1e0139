"""Kinds of publications: their repositories, and the part that each of them takes in a push."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fornet_hf.format.manifest import PATCHES
from fornet_hf.publish.contents import Content


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of publication.

    Attributes:
        repo_type: of its repositories, as the Hub's client calls it.
        managed: patterns of what it replaces as a whole: files of these that it does not have are deleted.
        message: of its commits, by default.
        sdk: of its spaces.
    """

    repo_type: str
    managed: Sequence[str]
    message: str
    sdk: str | None = None


KINDS: Mapping[str, Kind] = {
    "release": Kind(
        repo_type="dataset",
        managed=(f"{PATCHES}/*", "fornet_hf/*", "docs/*", "assets/*"),
        message="New release of patches",
    ),
    "model": Kind(repo_type="model", managed=("*.safetensors", "*.json", "*.jsonl"), message="New weights"),
    "results": Kind(
        repo_type="dataset",
        managed=("*.csv", "*.json", "*.jsonl", "*.parquet", "*.html", "*.svg", "examples/*", "model_index/*"),
        message="New results",
    ),
    "space": Kind(
        repo_type="space", managed=("*.py", "fornet_hf/*", "release/*"), message="New version", sdk="gradio"
    ),
}
"""The kinds by the names that the command line has for them."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """Files that may be published.

    Attributes:
        files: all of them, by path in the repository.
        card: its `README.md`, one of them.
        known: SHA-256 of files, where it is known already.
        said: lines for people about what was checked and left out.
        keep: puts beside the source what was made for it.
    """

    files: Mapping[str, Content]
    card: bytes
    known: Mapping[str, str] = field(default_factory=dict)
    said: Sequence[str] = ()
    keep: Callable[[], None] = lambda: None


class Maker(Protocol):
    """Something to be published, of one kind."""

    @property
    def outputs(self) -> Sequence[Path]:
        """Files that `Publication.keep` writes; none, unless a maker says which."""
        return ()

    def given(self) -> Mapping[str, Content]:
        """Return the files that a glance finds, by path in the repository.

        Raises:
            ForNetError: something is missing, or must not be published.
        """

    def made(self) -> Publication:
        """Check everything, which may take hours, and return what may be published.

        Raises:
            ForNetError: it cannot be published as it is; the message says what to do.
        """
