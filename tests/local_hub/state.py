"""The Hub that tests hold in their hands: fill it, look into it, make it fail; no HTTP needed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.local_hub import attributes
from tests.local_hub.access import User
from tests.local_hub.contents import Contents, Entry
from tests.local_hub.errors import repository_not_found
from tests.local_hub.faults import Fault, Faults
from tests.local_hub.messages import Record
from tests.local_hub.repository import Commit, Repository


@dataclass(frozen=True)
class Upload:
    """One LFS object that arrived whole: repository, SHA-256, size in bytes, in how many parts."""

    repository: str
    sha256: str
    size: int
    parts: int = 1


@dataclass(frozen=True)
class Options:
    """The choices that the server makes where the real one has some.

    `page_size` entries come per page of a tree. LFS objects above `part_size` bytes are uploaded in parts of
    that size (None: always whole). With `redirect` LFS files come from another origin, as on the real Hub.
    """

    page_size: int = 1000
    part_size: int | None = None
    redirect: bool = False


@dataclass
class Hub:
    """Repositories, users, faults and the log of one test Hub; `url` is its endpoint once it runs.

    `changed` is called after every request that may have changed something.
    """

    url: str = ""
    options: Options = field(default_factory=Options)
    contents: Contents = field(default_factory=Contents)
    repositories: dict[tuple[str, str], Repository] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    requests: list[Record] = field(default_factory=list)
    in_progress: int = 0
    uploads: list[Upload] = field(default_factory=list)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    expected: set[tuple[str, str, str]] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    changed: Callable[[], None] = lambda: None

    # -- filling it ------------------------------------------------------------------------------------------

    def add_user(self, name: str, *, write: bool = True, organisations: tuple[str, ...] = (), token: str = "") -> str:
        """Add a user, or another token for one; return the token."""
        token = token or f"hf_{name}_{'write' if write else 'read'}"
        self.users[token] = User(name, token, write, organisations)
        return token

    def create_repo(self, name: str, *, kind: str = "datasets", private: bool = False) -> Repository:
        """Create a repository which holds `.gitattributes` and nothing else, as on the real Hub."""
        with self.lock:
            repository = Repository(kind, name, private)
            attribute_file = {attributes.NAME: self.contents.entry(attributes.DEFAULT, lfs=False)}
            repository.add_commit("main", attribute_file, "initial commit", author=repository.owner)
            self.repositories[kind, name] = repository
            return repository

    def commit(
        self,
        name: str,
        files: Mapping[str, bytes | Path],
        *,
        delete: Collection[str] = (),
        revision: str = "main",
        title: str = "Seed",
        kind: str = "datasets",
    ) -> str:
        """Put files at their paths (bytes, or read from a path) and remove others; the commit's id.

        The repository is created if it does not exist.
        """
        with self.lock:
            if (kind, name) not in self.repositories:
                self.create_repo(name, kind=kind)
            repository = self.repo(name, kind)
            state = {path: e for path, e in repository.commit_at(revision).files.items() if path not in delete}
            for path, content in files.items():
                data = content.read_bytes() if isinstance(content, Path) else content
                state[path] = self._add(repository, path, data)
            return repository.add_commit(revision, state, title, author=repository.owner).oid

    def gate(self, name: str, *, allow: Collection[str] = (), kind: str = "datasets") -> None:
        """Let only its owner and these users read the repository's files (again: change who)."""
        repository = self.repo(name, kind)
        repository.gated, repository.allowed = "auto", set(allow)

    def tag(self, name: str, tag: str, revision: str = "main", kind: str = "datasets") -> None:
        """Name a commit."""
        repository = self.repo(name, kind)
        repository.tags[tag] = repository.commit_at(revision).oid

    def merge(self, name: str, number: int, kind: str = "datasets") -> str:
        """Merge a pull request; the id of the new commit on its base branch."""
        return self.repo(name, kind).merge(number).oid

    def inject(self, fault: Fault) -> Fault:
        """From now on let matching requests fail."""
        return self.faults.inject(fault)

    # -- looking into it -------------------------------------------------------------------------------------

    def repo(self, name: str, kind: str = "datasets") -> Repository:
        """Return the repository; RepoNotFound (a HubError) if there is none."""
        repository = self.repositories.get((kind, name))
        if repository is None:
            raise repository_not_found(logged_in=True)
        return repository

    def files(self, name: str, revision: str = "main", kind: str = "datasets") -> dict[str, bytes]:
        """Return all files of a revision but `.gitattributes`, by path."""
        entries = self.entries(name, revision, kind)
        return {path: self.contents.get(entry.sha256) for path, entry in entries.items()}

    def entries(self, name: str, revision: str = "main", kind: str = "datasets") -> dict[str, Entry]:
        """Digest, size and kind of storage of all files of a revision but `.gitattributes`."""
        found = self.repo(name, kind).commit_at(revision).files
        return {path: entry for path, entry in sorted(found.items()) if path != attributes.NAME}

    def head(self, name: str, revision: str = "main", kind: str = "datasets") -> str:
        """Return the id of the newest commit of a revision."""
        return self.repo(name, kind).commit_at(revision).oid

    def history(self, name: str, revision: str = "main", kind: str = "datasets") -> list[Commit]:
        """Return the commits of a revision, newest first."""
        repository = self.repo(name, kind)
        return list(repository.history(repository.commit_at(revision)))

    def uploaded(self, name: str, revision: str = "main", kind: str = "datasets") -> list[str]:
        """Return the paths at this revision whose content came by an LFS upload over HTTP since `forget`."""
        came = {upload.sha256 for upload in self.uploads if upload.repository == name}
        return [path for path, entry in self.entries(name, revision, kind).items() if entry.sha256 in came]

    def asked(self, path: str = "", method: str = "", status: int | None = None) -> list[Record]:
        """Return the logged requests with this method and status whose decoded path contains the pattern `path`."""
        with self.lock:
            records = list(self.requests)
        return [
            record
            for record in records
            if method in ("", record.method) and status in (None, record.status) and re.search(path, record.path)
        ]

    def forget(self) -> None:
        """Empty the log of requests and of uploads, and remove all faults."""
        with self.lock:
            self.requests.clear()
            self.uploads.clear()
            self.faults.clear()

    # -- for the handlers ------------------------------------------------------------------------------------

    def attributes_of(self, repository: Repository, revision: str) -> bytes:
        """Return the `.gitattributes` at a revision."""
        entry = repository.commit_at(revision).files.get(attributes.NAME)
        return attributes.DEFAULT if entry is None else self.contents.get(entry.sha256)

    def _add(self, repository: Repository, path: str, data: bytes) -> Entry:
        lfs = attributes.stored_by_lfs(path, len(data), data[:512])
        entry = self.contents.entry(data, lfs=lfs)
        if lfs:
            repository.objects.add(entry.sha256)
        return entry
