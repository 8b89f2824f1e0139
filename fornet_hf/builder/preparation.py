"""Preparing a dataset: what the builder of `ForNet.py` does between the steps of `datasets`."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import datasets

from fornet_hf.arguments import positive
from fornet_hf.builder.about import CITATION, DESCRIPTION, HOMEPAGE
from fornet_hf.builder.configuration import check_keywords_of_builder
from fornet_hf.errors import ConfigurationError, ForNetError, explain
from fornet_hf.features import row_features
from fornet_hf.files import storage_error
from fornet_hf.format.patch import digest
from fornet_hf.hub.errors import OTHER_DISK, Token
from fornet_hf.hub.location import Folder, Repository, locate
from fornet_hf.processes import max_workers, watched_forks
from fornet_hf.release.healing import healed_rows
from fornet_hf.release.images import check_folder, find_images
from fornet_hf.release.interface import Release
from fornet_hf.release.release import open_release
from fornet_hf.release.units import Unit


def begin(
    given: Mapping[str, Any], name: str | None, repo_id: str | None, base_path: str, token: Token
) -> tuple[Release, dict[str, Any]]:
    """Check what is asked for, before anything is downloaded.

    Args:
        given: the keywords of the builder. `release` may be one that is open already.
        name: of the configuration.
        repo_id: the script's repository.
        base_path: the script's folder, or its address on the Hub.
        token: for the Hub.

    Returns:
        The release, and the keywords of `ForNetConfig`.

    Raises:
        ConfigurationError: a keyword, the name or a split is not known, or a value not allowed.
        NotFoundError: there is no release, or none of the images that it needs.
    """
    if name not in (None, "default"):
        raise ConfigurationError(explain("no such configuration", found=repr(name), allowed="default"))
    keywords = dict(given)
    release = keywords.pop("release") if isinstance(keywords.get("release"), Release) else None
    check_keywords_of_builder(keywords)
    folder, repository = keywords.get("imagenet_dir"), keywords.get("imagenet_repo")
    release = release or _find_release(keywords.get("patches"), repo_id, base_path, token)
    splits = release.chosen(keywords.get("splits"))
    # A wrong place is refused also where the prepared cache needs no images. Rows of an old release, which names
    # none, are kept by where they were: others are prepared anew.
    if release.names_images and (folder is not None or repository is not None):
        images = find_images(release, folder, repository)
        if isinstance(images, Folder):
            check_folder(images, splits)
    keywords["release_id"] = _release_id(release, folder, repository, token)
    keywords["splits"] = None if splits == [*release.splits] else splits  # all of them are one cache
    return release, keywords


def _find_release(patches: str | None, repo_id: str | None, base_path: str, token: Token) -> Release:
    """Return the release that `patches` names, else the one in the repository or folder of the script."""
    if patches is None and repo_id is not None:
        revision = re.search(r"(?:@|/resolve/)([^/]+)", base_path)
        return open_release(Repository(repo_id, unquote(revision[1]) if revision else None, token))
    return open_release(locate(base_path if patches is None else patches, token))


def _release_id(release: Release, imagenet_dir: str | None, imagenet_repo: str | None, token: Token) -> str:
    """Return a name that tells the prepared rows of a release from others.

    An old release gives other rows with other images, which it cannot notice, so where they are belongs to it.
    The folder need not be there any more.
    """
    if release.names_images:
        return release.fingerprint()
    folder = None if imagenet_dir is None else Folder(Path(imagenet_dir).expanduser())
    images = folder or find_images(release, None, imagenet_repo, token)
    return f"{release.fingerprint()}-{digest(images.identity().encode()).hex()[:8]}"


def described(release: Release) -> datasets.DatasetInfo:
    """Return what `datasets` keeps about the dataset: features, description, citation."""
    return datasets.DatasetInfo(
        description=DESCRIPTION,
        features=row_features(release.class_names),
        homepage=HOMEPAGE,
        citation=CITATION,
    )


def split_generators(
    release: Release, config: Any, manager: datasets.DownloadManager, token: Token
) -> list[datasets.SplitGenerator]:
    """Return the units of work of each split that the configuration asks for; their files are downloaded."""
    images = find_images(release, config.imagenet_dir, config.imagenet_repo, token)
    how = {"streaming": manager.is_streaming, "anew": bool(manager.download_config.force_download)}
    return [
        datasets.SplitGenerator(name=split, gen_kwargs={"units": [*release.units(split, images, **how)]})
        for split in release.chosen(config.splits)
    ]


def examples(units: Sequence[Unit], token: Token) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and columns of each prepared row."""
    for unit in units:
        for row in healed_rows(unit, token):
            yield row.key, dataclasses.asdict(row)


def workers(num_proc: int | None) -> int:
    """Return the number of processes to use: MAX_WORKERS, or fewer if the caller says so.

    Raises:
        ConfigurationError: MAX_WORKERS or `num_proc` is no positive number.
    """
    return max_workers() if num_proc is None else min(positive("num_proc", num_proc), max_workers())


def empty_folder(folder: str) -> None:
    """Remove the files that a killed preparation left where the next one writes.

    `datasets` would take them for part of the result: there may be other ones than the next attempt overwrites.
    """
    for path in Path(folder).glob("*.arrow"):
        path.unlink()


@contextlib.contextmanager
def guarded(folder: str | None) -> Iterator[None]:
    """Let `datasets` work in a folder of its cache (None: all of it) with our errors, our locks and our processes."""
    with own_errors(folder or datasets.config.HF_DATASETS_CACHE), locks_where_possible(), watched_forks():
        yield


@contextlib.contextmanager
def locks_where_possible() -> Iterator[None]:
    """Let `datasets` do without lock files in folders that cannot be written, in which nothing changes anyway."""
    modules = (datasets.builder, datasets.utils.py_utils)
    locks = [(module, module.FileLock) for module in modules if hasattr(module, "FileLock")]

    def lock(path: str, *args: Any, **options: Any) -> Any:
        writable = os.access(Path(path).parent, os.W_OK)
        return locks[0][1](path, *args, **options) if writable else contextlib.nullcontext()

    try:
        for module, _ in locks:
            module.FileLock = lock
        yield
    finally:
        for module, original in locks:
            module.FileLock = original


@contextlib.contextmanager
def own_errors(folder: str) -> Iterator[None]:
    """Let our own error through where `datasets` says only that generating failed, in this folder of the cache.

    Between processes only the outermost exception travels, so it must be ours before it leaves the worker.
    """
    place = Path(folder).expanduser()
    try:
        yield
    except (datasets.exceptions.DatasetGenerationError, OSError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ForNetError):
            full = storage_error(_numbered(cause), place, OTHER_DISK) if isinstance(cause, OSError) else None
            cause = full or cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from None


def _numbered(error: OSError) -> OSError:
    """Return the error with its number, which `datasets` does not give where no byte is free before it begins."""
    full = error.errno is None and str(error).startswith("Not enough disk space")
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if full else error
