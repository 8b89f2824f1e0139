"""Items of the catalogue, fetched, checked and noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import huggingface_hub as hub

from fornet_hf.errors import AccessError, IntegrityError, NotFoundError, explain
from fornet_hf.files import sha256_of
from fornet_hf.hub.listing import head_of
from fornet_hf.hub.retry import Patience, require_answer
from producers.downloads.digests import check_digest
from producers.downloads.files import fetch
from producers.downloads.item import FILE, PAGE, Item
from producers.downloads.lock import Fetched, Lock
from producers.downloads.places import paths_of


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """A way of fetching.

    Attributes:
        out: folder of data and notes.
        everything: whether weights go there, too, and not into the caches.
        token: for the Hub.
        say: gets lines of progress.
    """

    out: Path
    everything: bool = False
    token: str | None = None
    say: Callable[[str], None] = lambda _: None

    def get(self, item: Item) -> list[Path]:
        """Fetch an item, unless it is there; return its files, or the folder of its repository.

        Raises:
            NotFoundError: it has to be fetched by hand and is not there, or is not at its address any more.
            AccessError: its terms have to be accepted first.
            IntegrityError: it is not what somebody states, or not what was fetched first.
            UnreachableError: the server or the Hub does not answer.
        """
        if item.kind == PAGE:
            return self._by_hand(item)
        return self._file(item) if item.kind == FILE else [self._repository(item)]

    def state(self, item: Item) -> tuple[str, Path | None]:
        """Return a word for what is there, and where; nothing is fetched.

        The word is `absent`, `there`, `damaged`, `part` for a download that broke off, or `by hand` for files that
        people fetch and whose names nobody states.
        """
        if item.kind == PAGE and not item.files:
            return "by hand", None
        if item.kind not in (FILE, PAGE):
            folder = self._cached(item)
            return ("absent", None) if folder is None else ("there", folder)
        for path in paths_of(item, self.out, everything=self.everything):
            if path.is_file():
                try:
                    self._check(item, path)
                except IntegrityError:
                    return "damaged", path
                return "there", path
            if path.with_name(f"{path.name}.part").is_file():
                return "part", path
        return "absent", None

    def _by_hand(self, item: Item) -> list[Path]:
        paths = paths_of(item, self.out, everything=self.everything)
        there = [path for path in paths if path.is_file()]
        if not there or len(there) < len(paths):
            then = f"Open {item.page} in a browser."
            if item.files:
                named = ", ".join(item.files)
                then += f" Put {named} into {self.out / item.name} and run the same command again, which checks it."
            raise NotFoundError(explain(f"{item.name} has to be fetched by hand", then=then))
        for path in there:
            self._check(item, path)
            self._note(item, path)
        return there

    def _file(self, item: Item) -> list[Path]:
        (path,) = paths_of(item, self.out, everything=self.everything)
        if path.is_file():
            self.say(f"{path} is there already")
            self._check(item, path)
        else:
            fetch(item.address, path, self.say, check=partial(self._check, item))
        self._note(item, path)
        return [path]

    def _note(self, item: Item, path: Path) -> None:
        """Note a file that was checked, if it is the first of its name."""
        lock = Lock(self.out)
        if item.name not in lock.read():
            size, digest = path.stat().st_size, sha256_of(path)
            lock.note(item.name, Fetched(address=item.address, path=str(path), bytes=size, digest=digest))
            if not item.digest:
                self.say(f"nobody states the digest of {path.name}; its SHA-256 is noted: {digest}")

    def _check(self, item: Item, path: Path) -> None:
        check_digest(path, item.digest, item.stated_by)
        first = Lock(self.out).read().get(item.name)
        if first is not None:
            check_digest(path, f"sha256:{first.digest}", "the file that was fetched first")

    def _repository(self, item: Item) -> Path:
        require_answer(item.address)
        revision = self._revision(item)
        place = self.out / item.name if self.everything else None

        def get() -> str:
            return hub.snapshot_download(
                item.address,
                repo_type=item.kind,
                revision=revision,
                allow_patterns=list(item.patterns) or None,
                local_dir=place,
                token=self.token,
            )

        api = hub.HfApi(token=self.token, library_name="fornet-hf")
        patience = Patience(say=self.say)
        try:
            # All files are of one commit, though a branch may move between two of them.
            revision = head_of(api, item.address, revision, patience, item.kind)
            folder = Path(patience.ask("fetch", f"fetch {item.address}", get))
        except AccessError as error:
            raise type(error)(f"{error} Its terms: {item.terms or item.page}") from error
        Lock(self.out).note(item.name, Fetched(address=item.address, path=str(folder), bytes=0, digest=revision))
        return folder

    def _revision(self, item: Item) -> str | None:
        """Return the commit that code pins, or that was fetched first; None: the newest one."""
        noted = Lock(self.out).read().get(item.name)
        return item.revision or (noted.digest if noted else None)

    def _cached(self, item: Item) -> Path | None:
        """Return the folder of a repository that was fetched, or that another command has fetched in part."""
        if self.everything:
            folder = self.out / item.name
            return folder if folder.is_dir() else None
        try:
            found = hub.snapshot_download(
                item.address,
                repo_type=item.kind,
                revision=self._revision(item),
                allow_patterns=list(item.patterns) or None,
                local_files_only=True,
            )
            return Path(found)
        except (OSError, ValueError):  # of which the client's own errors are
            return None
