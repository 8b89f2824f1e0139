"""One thing to download."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

UNKNOWN = "not stated"
FILE, DATASET, MODEL, PAGE = KINDS = ("file", "dataset", "model", "page")
"""A file, a repository of the Hub of either kind, and a page from which people fetch by hand."""

_HUB = {DATASET: "https://huggingface.co/datasets/", MODEL: "https://huggingface.co/"}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A set of images, or weights, that a command wants.

    What nobody has stated is left as it is: a size or digest is never guessed.

    Attributes:
        name: for the command line: small letters, digits and hyphens.
        kind: one of `KINDS`.
        address: of the file or page; of a repository its id.
        wanted_by: the commands that want it.
        licence: or the terms that govern its use.
        size: as it is stated somewhere, rounded.
        digest: `md5:` or `sha256:` and hexadecimal digits, the first ones or all; empty: nobody states it.
        stated_by: says who states the digest.
        terms: page on which its terms have to be accepted first.
        revision: of a repository, where code pins one.
        patterns: of the files of a repository that are wanted; none: all.
        in_torch: whether commands look for the file among the checkpoints of torch.hub.
        files: of a page: the names that the files have which people fetch there.
    """

    name: str
    kind: str
    address: str
    wanted_by: str
    licence: str = UNKNOWN
    size: str = UNKNOWN
    digest: str = ""
    stated_by: str = ""
    terms: str = ""
    revision: str | None = None
    patterns: tuple[str, ...] = ()
    in_torch: bool = False
    files: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The address that a browser takes."""
        return f"{_HUB.get(self.kind, '')}{self.address}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its files, where they are known without asking."""
        return (PurePosixPath(urlsplit(self.address).path).name,) if self.kind == FILE else self.files
