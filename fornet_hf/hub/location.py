"""The places that files are read from: a folder on this machine, or a dataset repository on the Hub."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import huggingface_hub as hub
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # documented, but not listed there

from fornet_hf.errors import ConfigurationError, IntegrityError, NotFoundError, UnreachableError, explain
from fornet_hf.files import Open, sha256_of
from fornet_hf.hub.errors import Token
from fornet_hf.hub.listing import FileFacts, Listing, head_of, list_files, remote_files
from fornet_hf.hub.retry import Patience
from fornet_hf.hub.transfer import download, is_whole, open_file, remote_address, without_bars
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress

_REPOSITORY = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?", re.ASCII)
_REVISION = re.compile(r"(?!.*\.\.)\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


@dataclass(frozen=True)
class Folder:
    """A folder on this machine; files are called by relative paths with forward slashes."""

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def listing(self) -> Listing:
        """Return the paths of all files, sorted, and their sizes."""
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        return Listing(None, {path.relative_to(self.root).as_posix(): str(path.stat().st_size) for path in files})

    def at(self, commit: str | None) -> Folder:
        """Return the folder itself: it has no history."""
        del commit
        return self

    def identity(self) -> str:
        """Return the whole path, links followed."""
        return str(self.root.resolve())

    def fetch(self, path: str) -> Path:
        """Return the file itself; single downloads leave it in the folder without the folders in `path`."""
        places = (self.root / path, self.root / PurePosixPath(path).name)
        file = next((place for place in places if place.is_file()), places[0])
        if not file.is_file():
            raise NotFoundError(explain(f"{self.root} has no file {path}", found=contents(self.root)))
        return file

    def fetch_all(self, paths: Sequence[str], what: str, *, anew: bool = False) -> list[str]:
        """Return the files themselves."""
        del what, anew
        return [str(self.fetch(path)) for path in paths]

    def address(self, path: str) -> str:
        """Return the file's path."""
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
        """Return all files as the Hub lists them now, else as it last listed them. Raises UnreachableError."""
        return list_files(self.id, self.revision, self.token)

    def at(self, commit: str | None) -> Repository:
        """Return this repository at that commit; at the revision that it has for None."""
        return dataclasses.replace(self, revision=commit or self.revision)

    def identity(self) -> str:
        """Return name, and digest of all Parquet files: other files may change."""
        files = self.listing().files
        shards = sorted((path, value) for path, value in files.items() if path.endswith(".parquet"))
        return f"{self.id} {hashlib.sha256(repr(shards).encode()).hexdigest()[:16]}"

    def fetch(self, path: str) -> Path:
        """Return the file in the Hub cache, downloaded if need be, and again if it is damaged there."""
        with without_bars():
            file = download(self.id, path, self.revision, self.token)
            if is_whole(file):
                return file
            try:
                return download(self.id, path, self.revision, self.token, anew=True)
            except UnreachableError as error:
                what = f"{path} of {self.id} is damaged in the cache"
                raise IntegrityError(explain(what, found=file, then="Load it once with the network.")) from error

    def fetch_all(self, paths: Sequence[str], what: str, *, anew: bool = False) -> list[str]:
        """Return the files in the Hub cache, in order, MAX_WORKERS downloads at a time.

        Args:
            paths: in the repository.
            what: names them to the user.
            anew: download what the cache has, too.
        """
        get = functools.partial(download, self.id, revision=self.revision, token=self.token, anew=anew)
        with without_bars(), ThreadPoolExecutor(max_workers()) as pool:
            jobs = [pool.submit(get, path) for path in paths]
            try:
                return [str(job.result()) for job in progress(jobs, f"Downloading {what}", "file")]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def address(self, path: str) -> str:
        """Return the file's `hf://` address, which `open_file` takes."""
        return remote_address(self.id, path, self.revision)


Location = Folder | Repository


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
    """Return the folder, if it exists, or the repository `owner/name` or `owner/name@revision`.

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
    """Return the first names in a folder, for messages."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "an empty folder"


@dataclass(frozen=True)
class Place:
    """A folder, or a repository at one commit, whose files are looked at as they are: with sizes and digests.

    Attributes:
        name: what messages call it.
        location: where its files are read; of a repository at the commit, so that all of them belong together.
        paths: all files and their sizes in bytes; of a folder those that are not hidden.
        digests: what the Hub says of a repository's files, as in `FileFacts`.
    """

    name: str
    location: Location
    paths: Mapping[str, int]
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of_folder(cls, root: Path) -> Place:
        """Return the place of a folder: the patches' own, or one laid out like the repository."""
        sizes = {path: int(size) for path, size in Folder(root).listing().files.items()}
        shown = {path: size for path, size in sizes.items() if not any(p.startswith(".") for p in path.split("/"))}
        return cls(str(root), Folder(root), shown)

    @classmethod
    def of_repository(cls, api: hub.HfApi, repository: str, commit: str, patience: Patience | None = None) -> Place:
        """Return the place of a repository, of which the Hub is asked for the list of files."""
        files = remote_files(api, repository, commit, patience or Patience())
        return cls(
            f"{repository}@{commit[:8]}",
            Repository(repository, commit, api.token),
            {path: one.size for path, one in files.items()},
            {path: one.digest for path, one in files.items()},
        )

    @property
    def opener(self) -> Open:
        """The function that opens paths, and addresses on the Hub with the client's token."""
        return functools.partial(open_file, token=getattr(self.location, "token", None))

    def facts(self, path: str) -> FileFacts:
        """Return size and digest of a file: a folder's is read, of a repository's the Hub tells them.

        Raises:
            NotFoundError: there is no such file.
        """
        address = self._address(path)
        if isinstance(self.location, Folder):
            return FileFacts(Path(address).stat().st_size, sha256_of(Path(address)))
        return FileFacts(self.paths[path], self.digests[path])

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading from any position; of a remote one only what is read is downloaded.

        Raises:
            NotFoundError: there is no such file.
        """
        return self.opener(self._address(path))

    def _address(self, path: str) -> str:
        if isinstance(self.location, Folder):
            there, found = (self.location.root / path).is_file(), f"no file {self.location.root / path}"
        else:
            there, found = path in self.paths, f"no such file in {self.name}"
        if not there:
            raise NotFoundError(explain(f"{path}: the file is missing", found=found))
        return str(self.location.root / path) if isinstance(self.location, Folder) else self.location.address(path)


def place_of(where: str, revision: str | None = None, *, say: Callable[[str], None] = lambda _: None) -> Place:
    """Return the folder of this path if there is one, else the repository of this name.

    Raises:
        NotFoundError: no such repository or revision.
        ConfigurationError: neither a folder nor a repository's name, or a revision of a folder.
        AccessError, UnreachableError: the Hub does not hand it out.
    """
    location = locate(where)
    if isinstance(location, Folder):
        if revision is not None:
            raise ConfigurationError(explain("a folder has no revision", found=repr(revision), allowed="none"))
        return Place.of_folder(location.root)
    api, patience = hub.HfApi(library_name="fornet-hf"), Patience(say=say)
    head = head_of(api, location.id, revision or location.revision, patience)
    return Place.of_repository(api, location.id, head, patience)
