"""Deleting patches that are not needed any more. Only ever on request."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.format.manifest import MANIFEST, write_manifest
from fornet_hf.hub.location import Folder
from fornet_hf.release.legacy import LegacyArchive
from fornet_hf.release.legacy.archive import Key
from fornet_hf.release.release import OldRelease, PatchRelease, Release


def deletable(release: Release) -> Folder:
    """The folder of a release whose files may be deleted.

    Raises:
        ConfigurationError: the release is on the Hub (its copies in the cache are kept), or its files are links,
            as in the Hub's cache.
    """
    location = release.location if isinstance(release, (OldRelease, PatchRelease)) else None
    if not isinstance(location, Folder):
        then = "Delete downloads with: hf cache rm"
        raise ConfigurationError(
            explain("patches are only deleted from a folder", found=location, allowed="-p FOLDER", then=then)
        )
    for split in release.splits:
        if links := [path for path in _files(release, location, split) if path.is_symlink()]:
            then = "Delete downloads with: hf cache rm"
            raise ConfigurationError(explain("patches that are links are not deleted", found=links[0], then=then))
    return location


def patches_in(release: Release, split: str) -> int:
    """How many images of a split have patches in a release that is `deletable`."""
    if isinstance(release, PatchRelease):
        return sum(entry.rows for entry in release.manifest.splits[split])
    keys: set[Key] = set()
    for path in _files(release, deletable(release), split):
        with LegacyArchive(path) as archive:
            keys.update(archive)
    return len(keys)


def delete_patches(release: Release, splits: Sequence[str]) -> list[Path]:
    """Delete the patch files of splits; ratios stay, a manifest names what is left. Returns what was deleted.

    Raises:
        ConfigurationError: as `deletable`.
    """
    folder = deletable(release)
    files = [path for split in splits for path in _files(release, folder, split)]
    if isinstance(release, PatchRelease):  # first: of shards that nobody names, none is looked for
        place = folder.root / release.place
        rest = {split: shards for split, shards in release.manifest.splits.items() if split not in splits}
        if rest:
            write_manifest(place, dataclasses.replace(release.manifest, splits=rest))
        else:
            files.insert(0, place / MANIFEST)
    for path in files:
        path.unlink(missing_ok=True)
    return files


def _files(release: Release, folder: Folder, split: str) -> list[Path]:
    if isinstance(release, PatchRelease):
        return [folder.root / release.place / entry.path for entry in release.manifest.splits[split]]
    return [folder.root / name for name in release.files.archives(split)] if isinstance(release, OldRelease) else []
