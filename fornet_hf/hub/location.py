"""Where files are: a folder on this machine, or a dataset repository on the Hub."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # documented, but not listed there

from fornet_hf.errors import ConfigurationError, IntegrityError, NotFoundError, UnreachableError, explain
from fornet_hf.hub.cached import is_whole
from fornet_hf.hub.errors import Token
from fornet_hf.hub.listing import Listing, list_files
from fornet_hf.hub.transfer import download, remote_address
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress, without_bars_of_files

_REPOSITORY = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)
_REVISION = re.compile(r"(?!.*\.\.)\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


class Location(Protocol):
    """Files that are called by relative paths with forward slashes."""

    def listing(self) -> Listing:
        """All files, found without reading them. Raises UnreachableError rather than leave one out."""
        ...

    def at(self, commit: str | None) -> Location:
        """The same place at exactly this commit, so that all files belong together."""
        ...

    def identity(self) -> str:
        """What tells this place, with what it holds now, from others."""
        ...

    def fetch(self, path: str) -> Path:
        """A local copy of one file. Raises NotFoundError if there is none."""
        ...

    def fetch_all(self, paths: Sequence[str], what: str, *, anew: bool = False) -> list[str]:
        """Local copies of many files, in order; `what` names them to the user. `anew`: whatever the cache has."""
        ...

    def address(self, path: str) -> str:
        """What `hub.open_file` takes to read a file where it is."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder on this machine."""

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def listing(self) -> Listing:
        """The paths of all files, sorted, and their sizes."""
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        return Listing(None, {path.relative_to(self.root).as_posix(): str(path.stat().st_size) for path in files})

    def at(self, commit: str | None) -> Folder:
        """The folder itself: it has no history."""
        del commit
        return self

    def identity(self) -> str:
        """The whole path, links followed."""
        return str(self.root.resolve())

    def fetch(self, path: str) -> Path:
        """The file itself; the folder may also hold it without the folders in `path`, as single downloads give it."""
        places = (self.root / path, self.root / PurePosixPath(path).name)
        file = next((place for place in places if place.is_file()), places[0])
        if not file.is_file():
            raise NotFoundError(explain(f"{self.root} has no file {path}", found=contents(self.root)))
        return file

    def fetch_all(self, paths: Sequence[str], what: str, *, anew: bool = False) -> list[str]:
        """The files themselves."""
        del what, anew
        return [str(self.fetch(path)) for path in paths]

    def address(self, path: str) -> str:
        """The file's path."""
        return str(self.fetch(path))


@dataclass(frozen=True)
class Repository:
    """A dataset repository on the Hub, at one revision; downloads go to the shared Hub cache and are resumed."""

    id: str
    revision: str | None = None
    token: Token = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_name(self.id)
        if self.revision is not None and not _REVISION.fullmatch(self.revision):
            allowed = "a branch, tag or commit: letters, digits, . _ - and /, no part beginning with a dot or dash"
            raise ConfigurationError(
                explain(f"this cannot be a revision of {self.id}", found=repr(self.revision)[:200], allowed=allowed)
            )

    def __str__(self) -> str:
        return f"https://huggingface.co/datasets/{self.id}" + (f" at {self.revision}" if self.revision else "")

    def listing(self) -> Listing:
        """What the Hub says now, else what it last said of this revision."""
        return list_files(self.id, self.revision, self.token)

    def at(self, commit: str | None) -> Repository:
        """This repository at that commit; at the revision that it has for None."""
        return dataclasses.replace(self, revision=commit or self.revision)

    def identity(self) -> str:
        """Name, and digest of all Parquet files: other files may change."""
        files = self.listing().files
        shards = sorted((path, value) for path, value in files.items() if path.endswith(".parquet"))
        return f"{self.id} {hashlib.sha256(repr(shards).encode()).hexdigest()[:16]}"

    def fetch(self, path: str) -> Path:
        """The file in the Hub cache, downloaded if need be, and again if it is damaged there."""
        with without_bars_of_files():
            file = download(self.id, path, self.revision, self.token)
            if is_whole(file):
                return file
            try:
                return download(self.id, path, self.revision, self.token, anew=True)
            except UnreachableError as error:
                what = f"{path} of {self.id} is damaged in the cache"
                raise IntegrityError(explain(what, found=file, then="Load it once with the network.")) from error

    def fetch_all(self, paths: Sequence[str], what: str, *, anew: bool = False) -> list[str]:
        """The files in the Hub cache, MAX_WORKERS downloads at a time."""
        get = functools.partial(download, self.id, revision=self.revision, token=self.token, anew=anew)
        with without_bars_of_files(), ThreadPoolExecutor(max_workers()) as pool:
            jobs = [pool.submit(get, path) for path in paths]
            try:
                return [str(job.result()) for job in progress(jobs, f"Downloading {what}", "file")]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def address(self, path: str) -> str:
        """The file's `hf://` address."""
        return remote_address(self.id, path, self.revision)


def is_name(text: str) -> bool:
    """Return whether a dataset on the Hub can be called this: `owner/name`, by the Hub's own rules."""
    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return text.count("/") == 1 and text.isascii() and not text.endswith("\n")  # which old versions of it let pass


def check_name(name: str) -> None:
    """Refuse a name that no dataset on the Hub can have, as a typing error or a hostile manifest may give it.

    Raises:
        ConfigurationError: it is none.
    """
    if not is_name(name):
        allowed = "owner/name: letters, digits, -, _ and ., none of - and . at an end of a part or twice in a row"
        raise ConfigurationError(
            explain("this cannot be the name of a repository", found=repr(name)[:200], allowed=allowed)
        )


def locate(where: str, token: Token = None) -> Folder | Repository:
    """A folder that exists, or a repository `owner/name` or `owner/name@revision`.

    Raises:
        ConfigurationError: neither.
    """
    folder = Path(where).expanduser()
    if folder.is_dir():
        return Folder(folder)
    match = _REPOSITORY.fullmatch(where)
    if match is None or not is_name(match["id"]):
        allowed = "a folder that exists, or a Hub repository like owner/name or owner/name@revision"
        raise ConfigurationError(explain("no such folder or repository", found=repr(where), allowed=allowed))
    return Repository(match["id"], match["revision"], token)


def contents(folder: Path) -> str:
    """The first names in a folder, for messages."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "an empty folder"
