"""Check of folders and zips of the public layout: all is there, and sound."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from fornet_hf.errors import ForNetError
from fornet_hf.format.raster import DECODE_ERRORS
from fornet_hf.hub.errors import Token
from fornet_hf.layout.paths import BACKGROUNDS, FOREGROUNDS, KINDS, Layout
from fornet_hf.layout.trees import Tree, open_tree
from fornet_hf.processes import max_workers, pool
from fornet_hf.progress import progress
from fornet_hf.release.interface import Release
from fornet_hf.release.legacy import read_ratios

MISSING, EXTRA, DAMAGED, NO_RATIO, UNREADABLE = "missing", "extra", "damaged", "without ratio", "unreadable"
_CHUNK = 2048  # images that a process checks at a time


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        kind: `missing`, `extra`, `damaged`, `without ratio` or `unreadable` (a zip or the ratios as a whole).
        name: of the file.
        message: more about it; may be empty.
    """

    kind: str
    name: str
    message: str = ""


@dataclass
class Validation:
    """Counts and findings of a split.

    Attributes:
        split: `train` or `validation`.
        images: how many of each kind there are.
        ratios: how many ratios there are.
        findings: what is wrong.
    """

    split: str
    images: dict[str, int] = field(default_factory=dict)
    ratios: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Images of each kind, ratios, and findings of each kind."""
        kinds = Counter(finding.kind for finding in self.findings)
        return {**self.images, "ratios": self.ratios, **dict(sorted(kinds.items()))}


def validate(
    root: Path, split: str, release: Release | None = None, *, decode: bool = True, token: Token = None
) -> Validation:
    """Check the files of a split.

    Args:
        root: the folder of the layout.
        split: `train` or `validation`.
        release: the patches; then also which files are missing, and which do not belong there.
        decode: decode every image, with MAX_WORKERS processes; else only names are compared.
        token: for the Hub.

    Raises:
        ForNetError: the release cannot be read.
    """
    layout, result = Layout(root, split), Validation(split)
    trees = dict(_trees(layout, result))
    names = {kind: set(map(tree.entries.name, range(len(tree.entries)))) for kind, tree in trees.items()}
    result.images = {kind: len(names[kind]) for kind in trees}
    _check_ratios(layout, names.get(FOREGROUNDS, set()), result)
    if release is not None:
        _compare(layout, names, release, result, token)
    if decode:
        for kind, tree in trees.items():
            checked = progress(_damages(tree, kind), f"Checking {split} {kind}", f" x {_CHUNK:,} images")
            result.findings += [finding for part in checked for finding in part]
    return result


def _trees(layout: Layout, result: Validation) -> Iterator[tuple[str, Tree]]:
    for kind in KINDS:
        try:
            yield kind, open_tree(layout, kind)
        except ForNetError as error:
            result.findings.append(Finding(UNREADABLE, f"{layout.name}/{kind}", str(error)))


def _check_ratios(layout: Layout, foregrounds: set[tuple[str, str]], result: Validation) -> None:
    try:
        ratios = read_ratios(layout.ratios)
    except ForNetError as error:
        result.findings.append(Finding(UNREADABLE, layout.ratios.name, str(error)))
        return
    result.ratios = len(ratios)
    without = sorted(name for name in foregrounds if name[1] not in ratios)
    result.findings += [Finding(NO_RATIO, layout.member(FOREGROUNDS, *name)) for name in without]


def _compare(
    layout: Layout, names: dict[str, set[tuple[str, str]]], release: Release, result: Validation, token: Token
) -> None:
    """Find the files that the release gives and that are not there, and the other way round."""
    wanted = {(one.folder, one.key): one.parts for one in release.listing(layout.split, token)}
    # An image whose parts only its patch tells is taken to have both, unless one is not there.
    doubtful = {
        name
        for name, parts in wanted.items()
        if parts is None and any(name not in names.get(kind, ()) for kind in KINDS)
    }
    if doubtful:
        for one in release.listed(layout.split, doubtful, token):
            wanted[one.folder, one.key] = one.parts
    both = frozenset(KINDS)
    given = {name: both if parts is None else parts for name, parts in wanted.items()}
    for kind in KINDS:
        there = names.get(kind, set())
        missing = (name for name, parts in given.items() if kind in parts and name not in there)
        result.findings += [Finding(MISSING, layout.member(kind, *name)) for name in sorted(missing)]
        extra = (name for name in there if kind not in given.get(name, ()))
        result.findings += [Finding(EXTRA, layout.member(kind, *name)) for name in sorted(extra)]


def _damages(tree: Tree, kind: str) -> Iterator[list[Finding]]:
    starts = range(0, len(tree.entries), _CHUNK)
    workers = min(max_workers(), len(starts))
    if workers <= 1:
        yield from (_check(tree, kind, start) for start in starts)
        return
    with pool(workers, _Checker.prepare, tree, kind) as executor:
        yield from executor.map(_Checker.check, starts)


class _Checker:
    """A tree that a process checks; its index of a million images travels once, not with each part of the work."""

    tree: Tree
    kind: str

    @classmethod
    def prepare(cls, tree: Tree, kind: str) -> None:
        """Keep what all parts of the work have in common."""
        cls.tree, cls.kind = tree, kind

    @classmethod
    def check(cls, start: int) -> list[Finding]:
        """Check one part of the tree."""
        return _check(cls.tree, cls.kind, start)


def _check(tree: Tree, kind: str, start: int) -> list[Finding]:
    findings = []
    for index in range(start, min(start + _CHUNK, len(tree.entries))):
        try:
            message = _damage(tree.read(index), kind)
        except (ForNetError, *DECODE_ERRORS) as error:
            message = f"{type(error).__name__}: {error}"
        if message:
            findings.append(Finding(DAMAGED, tree.place(index), message))
    return findings


def _damage(data: bytes, kind: str) -> str:
    """Return what is wrong with an image; empty: nothing. Raises what Pillow raises."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if kind == BACKGROUNDS:
            return "" if image.format == "JPEG" else f"a {image.format}, not a JPEG"
        if image.mode != "RGBA":
            return f"mode {image.mode}: it has no transparency"
        return "" if image.getchannel("A").getbbox() else "nothing in it is visible"
