"""Where a release is, a folder or a repository on the Hub, seen alike: files with sizes and digests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import Open, open_local, sha256_of
from fornet_hf.format.manifest import MANIFEST, Manifest, manifest_in
from fornet_hf.hub.failures import hub_errors
from fornet_hf.hub.location import Folder, Location, Repository, locate
from fornet_hf.hub.retry import Patience
from fornet_hf.hub.transfer import open_file

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

PATCHES = "patches"


@dataclass(frozen=True)
class FileFacts:
    """A file: size in bytes, and its SHA-256 (64 hex digits), or where it has none its git blob id (40)."""

    size: int
    digest: str


class Place(Protocol):
    """A folder or a repository which holds a release."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def location(self) -> Location:
        """The same place for those who read releases."""
        ...

    @property
    def opener(self) -> Open:
        """What opens the location's addresses."""
        ...

    @property
    def paths(self) -> Mapping[str, int]:
        """All files and their sizes in bytes."""
        ...

    def facts(self, path: str) -> FileFacts:
        """Size and digest of a file; NotFoundError if there is none."""
        ...

    def open(self, path: str) -> BinaryIO:
        """A file for reading from any position; NotFoundError if there is none."""
        ...


@dataclass(frozen=True)
class FolderPlace:
    """A folder: the patches' own, or one laid out like the repository."""

    root: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.root)

    @property
    def location(self) -> Location:
        """The folder."""
        return Folder(self.root)

    @property
    def opener(self) -> Open:
        """Opens paths."""
        return open_local

    @cached_property
    def paths(self) -> Mapping[str, int]:
        """All files below the folder that are not hidden."""
        found = (path for path in sorted(self.root.rglob("*")) if path.is_file())
        names = {path.relative_to(self.root).as_posix(): path.stat().st_size for path in found}
        return {name: size for name, size in names.items() if not any(p[0] == "." for p in name.split("/"))}

    def facts(self, path: str) -> FileFacts:
        """Size and SHA-256 of a file."""
        file = self._existing(path)
        return FileFacts(file.stat().st_size, sha256_of(file))

    def open(self, path: str) -> BinaryIO:
        """A file for reading."""
        return self._existing(path).open("rb")

    def _existing(self, path: str) -> Path:
        file = self.root / path
        if not file.is_file():
            raise NotFoundError(explain(f"{path}: the file is missing", found=f"no file {file}"))
        return file


@dataclass(frozen=True)
class HubPlace:
    """A dataset repository at one commit.

    Attributes:
        api: the client, with its token.
        repository: `namespace/name`.
        commit: its full id, so that all that is read belongs together.
        patience: for requests that fail.
        remote: the files at that commit.
    """

    api: HfApi
    repository: str
    commit: str
    patience: Patience = field(default_factory=Patience)

    @property
    def name(self) -> str:
        """Repository and commit."""
        return f"{self.repository}@{self.commit[:8]}"

    @property
    def location(self) -> Location:
        """The repository at the commit."""
        return Repository(self.repository, self.commit, self.api.token)

    @property
    def opener(self) -> Open:
        """Opens paths, and addresses on the Hub with the client's token."""
        return functools.partial(open_file, token=self.api.token)

    @cached_property
    def remote(self) -> Mapping[str, RepoFile]:
        """The files at this commit, by path."""
        return remote_files(self.api, self.repository, self.commit, self.patience)

    @property
    def paths(self) -> Mapping[str, int]:
        """All files at this commit."""
        return {path: file.size for path, file in self.remote.items()}

    def facts(self, path: str) -> FileFacts:
        """Size and digest as the Hub tells them; nothing is downloaded."""
        file = self.remote.get(path)
        if file is None:
            raise NotFoundError(explain(f"{path}: the file is missing", found=f"no such file in {self.name}"))
        return FileFacts(file.size, digest_of(file))

    def open(self, path: str) -> BinaryIO:
        """A file for reading, of which only what is read is downloaded."""
        self.facts(path)
        return self.opener(self.location.address(path))


def digest_of(file: RepoFile) -> str:
    """The digest of a file in a repository: SHA-256 of those stored by LFS, git blob id of others."""
    return file.lfs.sha256 if file.lfs is not None else file.blob_id


def remote_files(api: HfApi, repository: str, revision: str, patience: Patience) -> dict[str, RepoFile]:
    """All files of a dataset repository at a revision, by path."""
    from huggingface_hub.hf_api import RepoFile

    def read() -> dict[str, RepoFile]:
        tree = api.list_repo_tree(repository, recursive=True, revision=revision, repo_type="dataset")
        return {item.path: item for item in tree if isinstance(item, RepoFile)}

    with hub_errors(f"list the files of {repository}"):
        return patience("list files", read)


def head_of(api: HfApi, repository: str, revision: str | None, patience: Patience) -> str:
    """The full id of the commit which a revision names; default: the head of main."""
    with hub_errors(f"read {repository}" + (f" at {revision}" if revision else "")):
        info = patience("find the head", lambda: api.dataset_info(repository, revision=revision))
    return str(info.sha)


def place_of(where: str, revision: str | None = None, *, say: Callable[[str], None] = lambda _: None) -> Place:
    """The folder of this path if there is one, else the repository of this name.

    Raises:
        NotFoundError: no such repository or revision.
        ConfigurationError: neither a folder nor a repository's name, or a revision of a folder.
        AccessError, UnreachableError: the Hub does not hand it out.
    """
    location = locate(where)
    if isinstance(location, Folder):
        if revision is not None:
            raise ConfigurationError(explain("a folder has no revision", found=repr(revision), allowed="none"))
        return FolderPlace(location.root)
    from huggingface_hub import HfApi

    api, patience = HfApi(library_name="fornet-hf"), Patience(say=say)
    return HubPlace(api, location.id, head_of(api, location.id, revision or location.revision, patience), patience)


def patches_folder(place: Place) -> str:
    """The prefix of the patches' paths: `patches/`, or nothing in the patches' own folder.

    Raises:
        NotFoundError: there is no manifest in either.
    """
    for prefix in (f"{PATCHES}/", ""):
        if prefix + MANIFEST in place.paths:
            return prefix
    then = "Old releases (zips) have none; build/create_patches.py writes one."
    raise NotFoundError(explain(f"{place.name}: no release of patches", found=f"no {MANIFEST}", then=then))


def manifest_of(place: Place) -> Manifest:
    """The manifest in a place.

    Raises:
        NotFoundError: there is none.
        PatchFormatError: it does not follow the format.
    """
    path = patches_folder(place) + MANIFEST
    with place.open(path) as file:
        return manifest_in(file, path)
