"""Checking a release end to end, in a folder or on the Hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, ForNetError, NotFoundError, explain
from fornet_hf.files import read_document
from fornet_hf.hub.location import Folder, Place
from fornet_hf.release.checks import Findings, check_list, check_sample, check_shards
from fornet_hf.release.release import release_in

CARD = "README.md"
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SCRIPT = "ForNet.py"
# They would make `load_dataset` compare its splits with fixed numbers, or take the shards for the rows.
_FORBIDDEN = ("dataset_info", "configs")
_MAINTAINER = "If you made it and changed the shard on purpose: run the command that made it again, for its manifest."
_ADVICE_FOLDER = f"Download the shard again. {_MAINTAINER}"
_ADVICE_HUB = "Tell the maintainer of the release. If that is you: publish it again, which checks it first."


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of checking a release.

    Attributes:
        place: name of the folder, or repository and commit.
        problems: what is wrong; none for a sound release.
        shards: number of shards in the manifest.
        rows: number of patches in the manifest.
        keys: number of keys that were compared.
        applied: number of patches that were applied to their source.
        read: whether every row was read.
    """

    place: str
    problems: tuple[ForNetError, ...]
    shards: int
    rows: int
    keys: int
    applied: int
    read: bool


def verify(place: Place, *, imagenet_dir: Path | None = None, sample: int = 4, download: bool = False) -> Verdict:
    """Check a release: its manifest, the size and digest of every shard, their columns, settings, rows and keys.

    Args:
        place: a folder or a repository; `place_of` gives it.
        imagenet_dir: images to apply patches to; None: none are applied.
        sample: patches of every shard to apply.
        download: read every row of a repository's shards, too; of a folder's they always are.

    Raises:
        NotFoundError: there is no release.
        PatchFormatError: its manifest cannot be read.
        UnreachableError: the Hub cannot be reached.
    """
    release, is_folder = release_in(place), isinstance(place.location, Folder)
    read = download or is_folder
    findings = Findings()
    findings.problems.extend(check_list(release, place.paths))
    advice = _ADVICE_FOLDER if is_folder else _ADVICE_HUB
    check_shards(place, release, findings, read=read, advice=advice)
    if release.prefix:
        findings.problems.extend(_check_repository(place))
    if imagenet_dir is not None:
        check_sample(place, release, imagenet_dir, sample, findings)
    return Verdict(
        place=place.name,
        problems=tuple(findings.problems),
        shards=len(release.manifest.shards),
        rows=sum(map(release.count, release.splits)),
        keys=findings.keys,
        applied=findings.applied,
        read=read,
    )


def check_card(card: str) -> None:
    """Refuse a card without a header that the Hub takes and `load_dataset` bears.

    Raises:
        ConfigurationError: it has no such header.
    """
    header = card_header(card)
    if "license" not in header:
        raise ConfigurationError(explain("the card: its header", found=repr(header)[:80], allowed="at least license"))
    if wrong := [name for name in _FORBIDDEN if name in header]:
        raise ConfigurationError(explain("the card: its header would break load_dataset", found=wrong))
    if left := PLACEHOLDER.search(card):
        raise ConfigurationError(explain("the card: a placeholder is not filled", found=left[0]))


def card_header(card: str, name: object = "the card") -> dict[str, Any]:
    """Return the YAML header of a card.

    Args:
        card: its text.
        name: that an error names it by.

    Raises:
        ConfigurationError: it has none.
    """
    import yaml  # type: ignore[import-untyped]

    match = re.match(r"---\n(.*?\n)---\n", card, re.DOTALL)
    if match is None:
        raise ConfigurationError(f"{name}: no YAML header between two lines of ---")
    try:
        header = yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        raise ConfigurationError(explain(f"{name}: its header is not valid YAML", found=error)) from error
    if not isinstance(header, dict):
        raise ConfigurationError(
            explain(f"{name}: its header", found=repr(header)[:80], allowed="names, at least license")
        )
    return header


def _check_repository(place: Place) -> list[ForNetError]:
    """Return what is wrong with script and card in a folder that is laid out like a repository."""
    problems: list[ForNetError] = []
    if _SCRIPT not in place.paths:
        problems.append(NotFoundError(explain(f"{_SCRIPT}: the file is missing", found=f"none in {place.name}")))
    try:
        with place.open(CARD) as file:
            check_card(read_document(file, CARD).decode("utf-8", errors="replace"))
    except ForNetError as error:
        problems.append(error)
    return problems
