"""What is prepared, and from where: the release, the source images, the splits."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from fornet_hf.arguments import either
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.hub.errors import Token
from fornet_hf.hub.location import Folder, Repository, locate
from fornet_hf.release.images import check_folder
from fornet_hf.release.release import Release, open_release

REPOSITORY = "TNauen/ForNet"


def find_release(patches: str | None, repo_id: str | None, base_path: str | None, token: Token) -> Release:
    """The release that `patches` names, else the one in the repository or folder of the script."""
    if patches is not None:
        return open_release(locate(patches, token))
    if repo_id is not None:
        revision = re.search(r"(?:@|/resolve/)([^/]+)", base_path or "")
        return open_release(Repository(repo_id, unquote(revision[1]) if revision else None, token))
    return open_release(locate(base_path or ".", token))


def find_images(release: Release, folder: str | None, repository: str | None, token: Token) -> Folder | Repository:
    """Where the source images are: a folder, a mirror, or the repository that the release names."""
    either(imagenet_dir=folder, imagenet_repo=repository)
    if folder is not None:
        if not Path(folder).expanduser().is_dir():
            raise NotFoundError(explain("imagenet_dir: no such folder", found=repr(folder)))
        return Folder(Path(folder).expanduser())
    if repository is None:
        return dataclasses.replace(release.source, token=token)
    return locate(repository, token)


def check_images(release: Release, splits: Sequence[str], folder: str | None, repository: str | None) -> None:
    """Refuse a wrong folder or repository of source images also where the prepared cache needs none.

    Rows of an old release, which names no images, are kept by where those were: others are prepared anew.

    Raises:
        ConfigurationError: both are given, or the repository's name is none.
        NotFoundError: there is no such folder, or it has images of none of the splits.
    """
    if release.names_images and (folder is not None or repository is not None):
        images = find_images(release, folder, repository, None)
        if isinstance(images, Folder):
            check_folder(images, splits)


def chosen_splits(release: Release, splits: str | Sequence[str] | None) -> list[str]:
    """The splits to prepare, in the release's order.

    Args:
        release: that has them.
        splits: one, or several; None: all.

    Raises:
        ConfigurationError: one of them is not in the release, or there is none.
    """
    if splits is None:
        return list(release.splits)
    wanted = [splits] if isinstance(splits, str) else list(splits)
    if not wanted:  # the empty dataset would take the place of the complete one in the cache
        raise ConfigurationError(explain("splits names no split", found=splits, allowed=list(release.splits)))
    if unknown := sorted(set(wanted) - set(release.splits)):
        raise ConfigurationError(explain("no such split", found=unknown, allowed=list(release.splits)))
    return [split for split in release.splits if split in wanted]
