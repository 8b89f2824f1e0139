"""Contents of a release, in a folder or on the Hub: from its manifest and statistics, without reading shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fornet_hf.errors import ForNetError, NotFoundError, PatchFormatError, explain
from fornet_hf.files import read_json, readable_bytes
from fornet_hf.format.manifest import Manifest
from fornet_hf.hub.location import Place
from fornet_hf.release.checks import check_list
from fornet_hf.release.legacy import find_release
from fornet_hf.release.release import PatchRelease, release_in
from fornet_hf.release.statistics import STATISTICS


def info(place: Place) -> dict[str, Any]:
    """Return a release as JSON object: place, format, source, settings, producer, figures of splits, and problems.

    Of a repository in the old format: its archives and their sizes. Problems are what the list of files tells: shards
    or archives that are missing or have another size.

    Raises:
        NotFoundError: there is no release.
        PatchFormatError: its manifest or statistics cannot be read.
    """
    try:
        release = release_in(place)
    except NotFoundError:
        if old := _old(place):
            return old
        raise
    manifest = release.manifest
    return {
        "place": place.name,
        "format": "patches",
        "source": manifest.source,
        "source_revision": manifest.source_revision,
        "classes": "ImageNet-1k" if manifest.classes is None else len(manifest.classes),
        "encoding": manifest.encoding.to_json(),
        "producer": dict(manifest.producer),
        "splits": _splits(manifest, _statistics(place, release.prefix)),
        "problems": [*map(str, _problems(place, release))],
    }


def lines(about: Mapping[str, Any]) -> list[str]:
    """Return the same for people."""
    result = [f"{name:16} {_plain(about[name])}" for name in about if name not in ("splits", "problems")]
    for split, figures in about["splits"].items():
        counts = [
            f"{count:,} {what}" for what, count in figures.items() if isinstance(count, int) and what != "bytes"
        ]
        result.append(f"{split:16} {', '.join([*counts, readable_bytes(figures['bytes'])])}")
    return result


def _problems(place: Place, release: PatchRelease) -> Iterator[ForNetError]:
    yield from check_list(release, place.paths)
    for entry in release.manifest.shards:
        try:
            size = place.paths.get(release.prefix + entry.path)
            if size is None:
                raise NotFoundError(explain(f"{entry.path}: the shard is missing", found=f"none in {place.name}"))
            entry.compare(size)
        except ForNetError as error:
            yield error


def _splits(manifest: Manifest, statistics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the manifest's figures, and with them what the statistics know beyond."""
    result = {}
    for split, entries in manifest.splits.items():
        figures = {
            "shards": len(entries),
            "rows": sum(entry.rows for entry in entries),
            "bytes": sum(entry.bytes for entry in entries),
        }
        result[split] = {**figures, **{k: v for k, v in statistics.get(split, {}).items() if k not in figures}}
    return result


def _statistics(place: Place, prefix: str) -> Mapping[str, Any]:
    if prefix + STATISTICS not in place.paths:
        return {}
    with place.open(prefix + STATISTICS) as file:
        value = read_json(file, f"{place.name}: {prefix}{STATISTICS}")
    if not isinstance(value, dict) or not all(isinstance(figures, dict) for figures in value.values()):
        raise PatchFormatError(explain(f"{place.name}: {prefix}{STATISTICS}", allowed="an object for each split"))
    return value


def _old(place: Place) -> dict[str, Any] | None:
    """Return the same of a release in the old format, zips of pickles at the top; None if there is none."""
    zips = {path: size for path, size in place.paths.items() if path.endswith(".zip") and "/" not in path}
    splits: dict[str, dict[str, int]] = {}
    for name, size in zips.items():
        split = {"train": "train", "val": "validation"}.get(name.removesuffix(".zip").partition("_")[0])
        if split is not None:
            figures = splits.setdefault(split, {"archives": 0, "bytes": 0})
            figures["archives"] += 1
            figures["bytes"] += size
    if not splits:
        return None
    problems = []
    try:
        find_release([*zips])
    except ForNetError as error:
        problems.append(str(error))
    return {"place": place.name, "format": "old (zips of pickles)", "splits": splits, "problems": problems}


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items()) or "not recorded"
    return "not recorded" if value is None else str(value)
