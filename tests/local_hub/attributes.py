"""The files that the Hub stores by LFS: those that `.gitattributes` names, large ones, and binary ones."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import PurePosixPath

NAME = ".gitattributes"
REGULAR_LIMIT = 10 * 1024 * 1024  # bytes; the Hub takes no larger file into git itself

_LFS_SUFFIXES = (
    "7z arrow bin bz2 ckpt ftz gz h5 joblib lz4 mlmodel model msgpack npy npz onnx ot parquet pb pickle pkl "
    "pt pth rar safetensors tar tflite tgz wasm xz zip zst pcm sam raw aac flac mp3 ogg wav bmp gif png tiff "
    "jpg jpeg webp mp4 webm"
)

DEFAULT = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LFS_SUFFIXES.split()).encode()


def stored_by_lfs(path: str, size: int, sample: bytes, attributes: bytes = DEFAULT) -> bool:
    """Return whether a file of `size` bytes that begins with `sample` is uploaded by LFS.

    Empty files never are: their clients refuse to.
    """
    if size == 0:
        return False
    return size > REGULAR_LIMIT or _named(path, attributes) or _binary(sample)


def _named(path: str, attributes: bytes) -> bool:
    rules = [line.split() for line in attributes.decode().splitlines() if "filter=lfs" in line]
    return any(fnmatch(path, rule[0]) or fnmatch(PurePosixPath(path).name, rule[0]) for rule in rules)


def _binary(sample: bytes) -> bool:
    return b"\0" in sample
