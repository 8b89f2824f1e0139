"""Is a release complete and correct? Every check of a release as a whole is here.

A check yields what is wrong, so that one look at a release tells all of it; each problem is an error that could
be raised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from fornet_hf.errors import ForNetError, PatchFormatError, explain, short
from fornet_hf.format.keys import SHARD, shard_name
from fornet_hf.format.manifest import MANIFEST, ShardEntry
from fornet_hf.hub.location import Folder, Place
from fornet_hf.processes import max_workers
from fornet_hf.release.release import PatchRelease
from fornet_hf.release.statistics import ShardFacts, read_facts
from fornet_hf.release.units import Unit


@dataclass
class Findings:
    """Problems and figures that the checks of one release found.

    Attributes:
        problems: what is wrong; none for a sound release.
        facts: of each split, if its shards were read.
        keys: number of keys that were compared.
        applied: number of patches that were applied to their source.
    """

    problems: list[ForNetError] = field(default_factory=list)
    facts: dict[str, ShardFacts] = field(default_factory=dict)
    keys: int = 0
    applied: int = 0


@dataclass(frozen=True)
class _Look:
    """Keys and facts of one shard, or the problem."""

    entry: ShardEntry
    keys: Sequence[str] = ()
    facts: ShardFacts | None = None
    problem: ForNetError | None = None


def check_list(release: PatchRelease, paths: Iterable[str]) -> Iterator[ForNetError]:
    """Yield what the list of files tells: gaps in numbered sets, and shards that the manifest does not name.

    Args:
        release: to be checked.
        paths: all files of the place where it is.
    """
    prefix, manifest = release.prefix, release.manifest
    listed = {entry.path for entry in manifest.shards}
    sets: dict[tuple[str, int], set[int]] = defaultdict(set)
    for match in filter(None, map(SHARD.fullmatch, sorted(listed))):
        sets[match["stem"], int(match["count"])].add(int(match["index"]))
    for (stem, count), found in sets.items():
        missing = [shard_name(stem, index, count) for index in range(count) if index not in found]
        if missing:
            what = f"the manifest lacks {len(missing)} of {count} shards of {stem}"
            yield PatchFormatError(explain(what, found=f"no {_some(missing)}", allowed="complete sets"))
    shards = [path.removeprefix(prefix) for path in paths if path.startswith(prefix) and path.endswith(".parquet")]
    if extra := sorted(set(shards) - listed):
        then = "Delete them, or write the manifest again."
        yield PatchFormatError(explain(f"shards that the {MANIFEST} does not name", found=_some(extra), then=then))


def check_shards(place: Place, release: PatchRelease, findings: Findings, *, read: bool, advice: str) -> None:
    """Compare every shard with its entry, open it, and compare the keys of each split.

    Args:
        place: where the release is.
        release: to be checked.
        findings: get what is found.
        read: read every row, too, which of a repository downloads all of it.
        advice: what to do about a shard that is not the one in the manifest.
    """
    prefix, manifest = release.prefix, release.manifest
    classes = len(release.class_names)

    def look(entry: ShardEntry) -> _Look:
        try:
            found = place.facts(prefix + entry.path)
            entry.compare(found.size, found.digest, advice)
            with place.open(prefix + entry.path) as file:
                shard = entry.open(file, manifest.encoding)
                facts = read_facts(shard, entry, classes) if read else None
                return _Look(entry, shard.keys, facts)
        except ForNetError as error:
            return _Look(entry, problem=error)

    with ThreadPoolExecutor(max_workers()) as pool:
        for split, entries in manifest.splits.items():
            _gather(split, pool.map(look, entries), findings)


def _gather(split: str, looks: Iterator[_Look], findings: Findings) -> None:
    seen: dict[str, str] = {}
    total: ShardFacts | None = ShardFacts()
    for look in looks:
        total = None if total is None or look.facts is None else total + look.facts
        if look.problem is not None:
            findings.problems.append(look.problem)
        if twice := [key for key in look.keys if key in seen]:
            where = f"{look.entry.path} and {seen[twice[0]]}"
            what = f"{split}: {len(twice)} keys come in two shards"
            findings.problems.append(PatchFormatError(explain(what, found=f"{_some(twice)} in {where}")))
        seen.update(dict.fromkeys(look.keys, look.entry.path))
    findings.keys += len(seen)
    if total is not None:
        findings.facts[split] = total


def check_sample(place: Place, release: PatchRelease, imagenet_dir: Path, rows: int, findings: Findings) -> None:
    """Apply the first patches of every shard to their source; digests tell whether the result is right.

    Args:
        place: where the release is.
        release: in it.
        imagenet_dir: a folder with the images.
        rows: how many of each shard.
        findings: get what is found.
    """
    images = Folder(imagenet_dir)
    units = [unit for split in release.splits for unit in release.units(split, images, streaming=True)]

    def apply(unit: Unit) -> tuple[int, ForNetError | None]:
        done = 0
        try:
            for _ in islice(unit.rows(place.opener), rows):
                done += 1
        except ForNetError as error:
            return done, error
        return done, None

    with ThreadPoolExecutor(max_workers()) as pool:
        for done, problem in pool.map(apply, units):
            findings.applied += done
            if problem is not None:
                findings.problems.append(problem)


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(map(short, names[:most])) + (", ..." if len(names) > most else "")
