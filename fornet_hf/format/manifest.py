"""`patches/manifest.json`, the list of a release's parts. docs/patch_format.md, section 5, is the specification."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from fornet_hf.errors import INSTALL, IntegrityError, NotFoundError, PatchFormatError, explain
from fornet_hf.files import read_json, sha256_of, write_text
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.keys import plain_name
from fornet_hf.format.shards import FORMAT_VERSION, PatchShard

MANIFEST = "manifest.json"
PATCHES = "patches"  # the folder of a repository that holds the manifest and the shards
SPLITS = ("train", "validation")
_FORMAT = "fornet-patches"
_SAFE_PATH = re.compile(r"(?=.{1,200}$)(?!.*\.\.)[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class ShardEntry:
    """One patch shard of a release.

    Attributes:
        path: relative to the manifest's folder, with forward slashes.
        rows: number of patches, 0 or more.
        bytes: size of the file.
        sha256: of the file, 64 hexadecimal digits.
        source: path of the source shard in the source repository; None for a folder of images.
    """

    path: str
    rows: int
    bytes: int
    sha256: str
    source: str | None = None

    def __post_init__(self) -> None:
        for name in ("path", "source"):
            value = getattr(self, name)
            if value is None and name == "source":
                continue
            if not isinstance(value, str) or not _SAFE_PATH.fullmatch(value):
                allowed = "a relative path of at most 200 letters, digits, . _ - and /, no part beginning with a dot"
                raise PatchFormatError(
                    explain(f"shard {name} is not allowed", found=repr(value)[:200], allowed=allowed)
                )
        if any(type(n) is not int or n < 0 for n in (self.rows, self.bytes)):
            raise PatchFormatError(
                explain(f"{self.path}: rows and bytes", found=(self.rows, self.bytes), allowed=">= 0")
            )
        if not isinstance(self.sha256, str) or not _SHA256.fullmatch(self.sha256):
            raise PatchFormatError(explain(f"{self.path}: sha256", found=repr(self.sha256), allowed="64 hex digits"))

    @classmethod
    def of(cls, folder: Path, path: str, rows: int, source: str | None = None) -> ShardEntry:
        """Return the entry of a file that exists."""
        file = folder / path
        return cls(path=path, rows=rows, bytes=file.stat().st_size, sha256=sha256_of(file), source=source)

    def verify(self, file: Path) -> None:
        """Compare size and digest of a local copy.

        Raises:
            NotFoundError: it is not there.
            IntegrityError: it is not the file which the manifest describes.
        """
        if not file.is_file():
            raise NotFoundError(explain(f"{self.path}: the shard is missing", found=f"no file {file}"))
        then = "Download it again; if that does not help, tell the maintainer of the release."
        self.compare(file.stat().st_size, sha256_of(file), then)

    def compare(self, size: int, digest: str | None = None, then: str | None = None) -> None:
        """Raise an IntegrityError, with what to do then, if a file of this size and digest is not this shard."""
        if size != self.bytes or digest not in (None, self.sha256):
            what = f"{self.path}: not the file that the manifest describes"
            found = f"{size} bytes" + (f", digest {digest}" if digest else "")
            allowed = f"{self.bytes} bytes, sha256 {self.sha256}"
            raise IntegrityError(explain(what, found=found, allowed=allowed, then=then))

    def open(self, file: BinaryIO | Path, encoding: Encoding) -> PatchShard:
        """Return the shard in a file, of which columns, settings and number of rows are checked.

        Raises:
            PatchFormatError: it is not the shard that the manifest describes.
        """
        shard = PatchShard(file, self.path)
        if shard.encoding != encoding:
            what = f"{self.path}: made with other settings than the manifest says"
            raise PatchFormatError(explain(what, found=shard.encoding, allowed=encoding))
        if len(shard) != self.rows:
            what = f"{self.path}: another number of rows than the manifest says"
            raise PatchFormatError(explain(what, found=len(shard), allowed=self.rows))
        return shard


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A release.

    Attributes:
        encoding: settings of all its patches.
        splits: for `train` and `validation`, the shards in order.
        source: repository of the images that the patches apply to.
        source_revision: commit of that repository; None for a folder of images.
        classes: names of the classes (and of the source's class folders) in label order; None for ImageNet-1k.
        producer: what made the patches: free names and values (models, revisions, versions).
    """

    encoding: Encoding
    splits: Mapping[str, tuple[ShardEntry, ...]]
    source: str = "ILSVRC/imagenet-1k"
    source_revision: str | None = None
    classes: tuple[str, ...] | None = None
    producer: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.splits) - set(SPLITS))
        if unknown or not self.splits:
            raise PatchFormatError(explain("the manifest's splits", found=unknown or "none", allowed=SPLITS))
        paths = [entry.path for entry in self.shards]
        if twice := sorted(path for path, count in Counter(paths).items() if count > 1)[:3]:
            raise PatchFormatError(explain("the manifest lists a shard twice", found=twice))
        for name in self.classes or ():
            plain_name(name, "class")  # it is the name of a folder, too
        if twice := sorted(name for name, count in Counter(self.classes or ()).items() if count > 1)[:3]:
            raise PatchFormatError(explain("the manifest lists a class twice", found=twice))

    @property
    def shards(self) -> list[ShardEntry]:
        """The shards of all splits."""
        return [entry for entries in self.splits.values() for entry in entries]

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON object."""
        value = dataclasses.asdict(self)
        value["splits"] = {name: [dataclasses.asdict(entry) for entry in self.splits[name]] for name in self.splits}
        return {"format": _FORMAT, "format_version": FORMAT_VERSION, **value}

    @classmethod
    def from_json(cls, value: object) -> Manifest:
        """Return the manifest in a JSON object.

        Raises:
            PatchFormatError: it does not follow the format, or its version is unknown.
        """
        if not isinstance(value, Mapping) or value.get("format") != _FORMAT:
            raise PatchFormatError(explain("this is no manifest of patches", found=repr(value)[:80]))
        version = value.get("format_version")
        if type(version) is not int or version != FORMAT_VERSION:
            then = f"Install a newer version: {INSTALL}"
            found = repr(version)[:80]
            raise PatchFormatError(explain("unknown format version", found=found, allowed=FORMAT_VERSION, then=then))
        names = {"format", "format_version", *(one.name for one in dataclasses.fields(cls))}
        if wrong := sorted(names.symmetric_difference(value))[:5]:
            raise PatchFormatError(
                explain("unknown or missing names in the manifest", found=wrong, allowed=sorted(names))
            )
        try:
            return cls(
                encoding=Encoding.from_json(value["encoding"]),
                splits={name: tuple(map(_entry, _list(entries))) for name, entries in value["splits"].items()},
                source=_text(value["source"]),
                source_revision=None if value["source_revision"] is None else _text(value["source_revision"]),
                classes=None if value["classes"] is None else tuple(map(_text, _list(value["classes"]))),
                producer={**value["producer"]},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PatchFormatError(
                explain("the manifest lacks a part, or has one of a wrong type", found=error)
            ) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.80} is not a string")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r:.80} is not a list")
    return list(value)


def _entry(value: object) -> ShardEntry:
    names = [one.name for one in dataclasses.fields(ShardEntry)]
    if not isinstance(value, Mapping) or sorted(value) != sorted(names):
        raise TypeError(f"{value!r:.80} is not an object of {', '.join(names)}")
    return ShardEntry(**value)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder of patches.

    Raises:
        NotFoundError: there is none.
        PatchFormatError: it does not follow the format.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFoundError(explain(f"no release of patches in {folder}", found=f"no {MANIFEST}"))
    with path.open("rb") as file:
        return manifest_in(file, path)


def manifest_in(file: BinaryIO, name: object) -> Manifest:
    """Read the manifest in an open file, wherever that is.

    Raises:
        PatchFormatError: it is too large, or does not follow the format; the message begins with `name`.
    """
    value = read_json(file, name)
    try:
        return Manifest.from_json(value)
    except PatchFormatError as error:
        raise error.at(name) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a folder's manifest; it appears complete or not at all."""
    write_text(folder / MANIFEST, json.dumps(manifest.to_json(), indent=1, sort_keys=True) + "\n")
