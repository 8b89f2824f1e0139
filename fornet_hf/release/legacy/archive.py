"""One zip of the old release, as an index from image to patch."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from fornet_hf.errors import NotFoundError, PatchFormatError, explain, short
from fornet_hf.release.legacy.patch import MAX_PATCH_BYTES, LegacyPatch, read_patch

if TYPE_CHECKING:
    from typing_extensions import Self

Key = tuple[str, str]
"""(wnid, stem) of an image: ("n01440764", "n01440764_10026")."""

_ENDINGS = (".pkl.gz", ".pkl")
_COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1  # bit of a member's flags
# What the standard library raises on damage: its own error, and those of the decoders beneath it.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, NotImplementedError, OverflowError)


class LegacyArchive:
    """Members `{any/prefix/}{wnid}/{stem}.pkl` or `.pkl.gz` of one zip, found by (wnid, stem).

    `source` is a path or a seekable binary file object, for instance one that reads a remote file by
    ranges; `name` is what messages call it. Use it as a context manager; a file object that was handed in
    stays open. The handle belongs to the process that opened it.

    Opening raises NotFoundError when there is no such file, and PatchFormatError when it is no zip or
    when a member has another ending, leaves its folder, is encrypted, comes twice or unpacks
    to more than `max_bytes`.
    """

    def __init__(self, source: Path | BinaryIO, *, name: str | None = None, max_bytes: int = MAX_PATCH_BYTES) -> None:
        self.name = name or str(source if isinstance(source, Path) else getattr(source, "name", "a zip"))
        self._max_bytes = max_bytes
        if isinstance(source, Path) and not source.is_file():
            raise NotFoundError(explain("no such archive", found=source, then="Download the release again"))
        with self._reading():
            self._zip = zipfile.ZipFile(source)
        try:
            self._members = self._index()
        except PatchFormatError as error:
            self.close()
            raise error.at(self.name) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, key: object) -> bool:
        return key in self._members

    def __iter__(self) -> Iterator[Key]:
        return iter(self._members)

    def keys(self) -> list[Key]:
        """Return every (wnid, stem), in the order of the zip."""
        return list(self._members)

    def read(self, key: Key) -> LegacyPatch:
        """Read the patch of that image; NotFoundError without one, PatchFormatError (naming it) on damage."""
        info = self._members.get(key)
        if info is None:
            raise NotFoundError(explain(f"{self.name} holds no patch of this image", found="/".join(key)))
        with self._reading(info.filename), self._zip.open(info) as member:
            # the declared size was checked, but it is the archive's word only
            data = member.read(self._max_bytes + 1)
        try:
            return read_patch(data, max_bytes=self._max_bytes)
        except PatchFormatError as error:
            raise error.at(f"{self.name}: {short(info.filename)}") from error

    def close(self) -> None:
        """Close the zip, and the file if this object opened it."""
        self._zip.close()

    @contextmanager
    def _reading(self, member: str | None = None) -> Iterator[None]:
        """Name damage of the zip as such; let errors of disk and network pass."""
        try:
            yield
        except _DAMAGE as error:
            place = self.name if member is None else f"{self.name}: {short(member)}"
            then = "Download the file again"
            raise PatchFormatError(explain(f"{place}: the zip is damaged", found=error, then=then)) from error

    def _index(self) -> dict[Key, zipfile.ZipInfo]:
        members: dict[Key, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if info.is_dir():
                continue
            key = _key(info)
            _check_content(info, self._max_bytes)
            if key in members:
                found = f"{members[key].filename!r} and {info.filename!r}"
                raise PatchFormatError(explain("two patches of one image", found=found, allowed="one"))
            members[key] = info
        return members


def _key(info: zipfile.ZipInfo) -> Key:
    # as it is written in the archive, before the standard library repairs it
    name = info.orig_filename
    parts = name.split("/")
    if any(part in {"", ".", ".."} or set(part) & set("\\:\0") for part in parts):
        allowed = "a relative path with / between its parts"
        raise PatchFormatError(explain("a member's path is not safe", found=repr(name), allowed=allowed))
    ending = next((ending for ending in _ENDINGS if name.endswith(ending)), None)
    if ending is None:
        raise PatchFormatError(explain("a member is no patch", found=repr(name), allowed=" and ".join(_ENDINGS)))
    stem = parts[-1][: -len(ending)]
    if len(parts) < 2 or not stem:
        raise PatchFormatError(explain("a member's path", found=repr(name), allowed="{wnid}/{stem}" + ending))
    return parts[-2], stem


def _check_content(info: zipfile.ZipInfo, max_bytes: int) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise PatchFormatError(explain("a member is encrypted", found=repr(info.filename), allowed="plain members"))
    if info.compress_type not in _COMPRESSIONS:
        found = f"{info.filename!r} with method {info.compress_type}"
        raise PatchFormatError(explain("a member's compression", found=found, allowed="stored or deflated"))
    if info.file_size > max_bytes:
        found = f"{info.filename!r} with {info.file_size} bytes"
        raise PatchFormatError(explain("a member is too large", found=found, allowed=f"{max_bytes} bytes"))
