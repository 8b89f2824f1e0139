"""Files in the Hub's cache: which file of which repository each is, and whether it is whole.

The cache names the content of a file by what the Hub says of it: its SHA-256, or, of small files, its blob id in Git.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from fornet_hf.files import git_blob_id, sha256_of

_PLACE = re.compile(
    r"(?P<cache>.*)/datasets--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<commit>[0-9a-f]{40})/(?P<path>.+)"
)
_BLOB_ID, _SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class CachedFile:
    """One file of a dataset repository at one commit, in the cache folder `cache`."""

    cache: Path
    repository: str
    commit: str
    path: str


def cached_file(file: Path) -> CachedFile | None:
    """Return the file that a path in the Hub's cache stands for; None for any other path."""
    match = _PLACE.fullmatch(file.as_posix())  # greedy: the cache itself may be in a folder of such names
    if match is None:
        return None
    return CachedFile(Path(match["cache"]), f"{match['owner']}/{match['name']}", match["commit"], match["path"])


def is_whole(file: Path) -> bool:
    """Return whether a file in the Hub's cache is what the Hub says of it; True where the cache does not know."""
    name = file.resolve().name
    if _SHA256.fullmatch(name):
        return sha256_of(file) == name
    if _BLOB_ID.fullmatch(name):
        return git_blob_id(file.read_bytes()) == name  # Git itself keeps no file above 10 MB on the Hub
    return True
