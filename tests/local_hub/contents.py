"""File contents by their digest, in memory or in a folder, and what the Hub knows about a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A file at a revision: digest of its content, size in bytes, and whether it is stored by LFS."""

    sha256: str
    size: int
    lfs: bool
    blob: str

    @property
    def etag(self) -> str:
        """Return what the Hub puts into `ETag`: the SHA-256 of LFS files, the git blob id of others."""
        return self.sha256 if self.lfs else self.blob


def git_blob(content: bytes) -> str:
    """Return the id that git gives a blob: 40 hexadecimal digits."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def lfs_pointer(sha256: str, size: int) -> bytes:
    """Return the text which git holds in place of an LFS file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


@dataclass
class Contents:
    """Bytes by SHA-256; in `folder`, one file each, where one is given."""

    folder: Path | None = None
    _memory: dict[str, bytes] = field(default_factory=dict)

    def put(self, content: bytes) -> str:
        """Keep the content; its SHA-256 as 64 hexadecimal digits."""
        digest = hashlib.sha256(content).hexdigest()
        if self.folder is None:
            self._memory[digest] = content
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / digest).write_bytes(content)
        return digest

    def get(self, sha256: str) -> bytes:
        """Return the content with this digest; KeyError where it was never put."""
        if self.folder is None:
            return self._memory[sha256]
        path = self.folder / sha256
        if not path.is_file():
            raise KeyError(sha256)
        return path.read_bytes()

    def entry(self, content: bytes, *, lfs: bool) -> Entry:
        """Keep the content and describe it as a file."""
        return describe(self.put(content), content, lfs=lfs)


def describe(sha256: str, content: bytes, *, lfs: bool) -> Entry:
    """Return the entry for content which is kept already."""
    blob = git_blob(lfs_pointer(sha256, len(content)) if lfs else content)
    return Entry(sha256, len(content), lfs, blob)
