"""Places of the source images of a release's units: class folders, a list, or the source's Parquet shards."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from fornet_hf.arguments import either
from fornet_hf.errors import NotFoundError, explain
from fornet_hf.format.manifest import SPLITS, ShardEntry
from fornet_hf.hub.errors import Token, lacks_repository
from fornet_hf.hub.location import Folder, Location, Repository, contents, locate
from fornet_hf.release.interface import Release
from fornet_hf.sources import ImageFiles, open_images, shard_files, shard_names
from fornet_hf.sources.image import split_names


def find_images(
    release: Release, folder: str | None = None, repository: str | None = None, token: Token = None
) -> Folder | Repository:
    """Return where the source images are: in a folder, a mirror, or the repository that the release names.

    Raises:
        ConfigurationError: folder and repository are given, or the repository's name is none.
        NotFoundError: there is no such folder, or the release names no repository.
    """
    either(imagenet_dir=folder, imagenet_repo=repository)
    if folder is not None:
        if not Path(folder).expanduser().is_dir():
            raise NotFoundError(explain("imagenet_dir: no such folder", found=repr(folder)))
        return Folder(Path(folder).expanduser())
    if repository is None:
        return dataclasses.replace(release.source, token=token)
    return locate(repository, token)


def folder_source(images: Folder | Repository, split: str) -> ImageFiles | None:
    """Return the place as class folders, or as a list of images; None if it has none of this split."""
    source = open_images(images.root) if isinstance(images, Folder) else None
    return source if source and source.has(split) else None


def check_folder(images: Folder, splits: Sequence[str]) -> None:
    """Raise a NotFoundError if a folder has images of none of the splits."""
    if not any(folder_source(images, split) or _has_shards(images, split) for split in splits):
        raise _no_images(images, splits[0])


def sources_of(
    entries: Sequence[ShardEntry], split: str, images: Folder | Repository, *, streaming: bool, anew: bool
) -> Sequence[str | ImageFiles]:
    """Return for each patch shard where its images are: class folders or a list, or the Parquet shard it names.

    Raises:
        NotFoundError: they are not there.
    """
    if folder := folder_source(images, split):
        return [folder] * len(entries)
    names = [entry.source for entry in entries if entry.source is not None]
    if len(names) < len(entries):
        raise _no_images(images, split, ", and this release names no source shards")
    try:
        return files_of(images, names, "images", streaming=streaming, anew=anew)
    except NotFoundError as error:
        if lacks_repository(error):
            raise
        if isinstance(images, Folder) and not _has_shards(images, split):
            raise _no_images(images, split) from error
        what = f"{images} is not the source that this release names ({split}: {names[0]} and others)"
        then = "It may have been re-sharded since: use the revision in the manifest, or a folder with class folders."
        raise NotFoundError(explain(what, found=error, then=then)) from error


def all_shards(images: Folder | Repository, split: str, *, streaming: bool, anew: bool) -> Sequence[str]:
    """Return all Parquet shards of a split, which no release names.

    Raises:
        NotFoundError: there are none, or some are missing.
    """
    if isinstance(images, Folder):
        if not _has_shards(images, split):
            raise _no_images(images, split)
        return [str(path) for path in shard_files(images.root, split)]
    listing = images.listing()
    names = shard_names(listing.files, split, str(images))
    return files_of(images.at(listing.commit), names, "images", streaming=streaming, anew=anew)


def files_of(place: Location, paths: Sequence[str], what: str, *, streaming: bool, anew: bool) -> list[str]:
    """Return addresses to read from, or local copies."""
    return [*map(place.address, paths)] if streaming else place.fetch_all(paths, what, anew=anew)


def _has_shards(images: Folder, split: str) -> bool:
    places = (images.root, images.root / "data")
    return any(any(place.glob(f"{name}-*.parquet")) for place in places for name in split_names(split))


def _no_images(images: Folder | Repository, split: str, also: str = "") -> NotFoundError:
    wanted = " or ".join(f"{name}/" for name in split_names(split))
    found, then = None, None
    if isinstance(images, Folder):
        found = f"{contents(images.root)}, but no {wanted}"
        others = [other for other in SPLITS if other != split and folder_source(images, other)]
        if images.root.resolve().name in {name for one in SPLITS for name in split_names(one)}:
            then = f"This is the folder of one split: give the one above it, {images.root.resolve().parent}"
        elif others:
            one = others[0]
            then = f"For one split alone: split={one!r}; with datasets.load_dataset also splits=[{one!r}]."
    allowed = "imagenet_dir=FOLDER with train/ and val/ with a folder for each class, images.txt, or Parquet shards"
    return NotFoundError(
        explain(f"{images} has no images for {split!r}{also}", found=found, allowed=allowed, then=then)
    )
