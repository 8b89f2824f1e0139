"""Deleting patches that are not needed any more. Only ever on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.hub.location import Folder
from fornet_hf.release.interface import Release


def deletable(release: Release) -> Folder:
    """The folder of a release whose files may be deleted.

    Raises:
        ConfigurationError: the release is on the Hub (its copies in the cache are kept), or its files are links,
            as in the Hub's cache.
    """
    location = release.location
    if not isinstance(location, Folder):
        then = "Delete downloads with: hf cache rm"
        raise ConfigurationError(
            explain("patches are only deleted from a folder", found=location, allowed="-p FOLDER", then=then)
        )
    for split in release.splits:
        paths = [location.root / name for name in release.files(split)]
        if links := [path for path in paths if path.is_symlink()]:
            then = "Delete downloads with: hf cache rm"
            raise ConfigurationError(explain("patches that are links are not deleted", found=links[0], then=then))
    return location


def delete_patches(release: Release, splits: Sequence[str]) -> list[Path]:
    """Delete the patch files of splits; ratios stay, a manifest names what is left. Returns what was deleted.

    Raises:
        ConfigurationError: as `deletable`.
    """
    root = deletable(release).root
    names = [name for split in splits for name in release.files(split)]
    # First: of shards that nobody names, none is looked for.
    files = [root / name for name in (*release.forget(splits), *names)]
    for path in files:
        path.unlink(missing_ok=True)
    return files
