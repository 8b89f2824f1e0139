"""Digests as the catalogue states them: the kind, a colon, and the first hexadecimal digits or all of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fornet_hf.errors import IntegrityError, explain

_KINDS = {"md5": 32, "sha256": 64}
_CHUNK = 2**20


def digest_of(path: Path, kind: str) -> str:
    """Return the digest of a file: `kind` is md5, which is not for safety, or sha256."""
    result = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            result.update(chunk)
    return result.hexdigest()


def check_digest(path: Path, stated: str, by: str) -> None:
    """Refuse a file that does not have the stated digest; an empty one admits any.

    Raises:
        IntegrityError: it has another.
    """
    if not stated:
        return
    kind, _, digits = stated.partition(":")
    found = digest_of(path, kind)
    if not found.startswith(digits):
        allowed = f"{stated}, says {by}" if by else stated
        then = "Delete it if it is there, and fetch it again; if that does not help, it was replaced at its address."
        what = f"{path} is not the file that was expected"
        raise IntegrityError(explain(what, found=f"{kind}:{found}", allowed=allowed, then=then))


def words(stated: str) -> str:
    """Return a digest for people: whether it is whole."""
    kind, _, digits = stated.partition(":")
    name = {"md5": "MD5", "sha256": "SHA-256"}.get(kind, kind)
    begins = "" if len(digits) == _KINDS.get(kind) else " begins"
    return f"{name}{begins} `{digits}`" if digits else "not stated"
