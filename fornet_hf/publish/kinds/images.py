"""Images that must not be published: those of ImageNet never, others with the publisher's word alone.

ImageNet's images are known by their keys, `n01440764_10026` and `ILSVRC2012_val_00000293`, and by folders of classes,
`n01440764`. A file counts as an image by its ending or by how it begins; a page counts as one if it holds images
within itself, a table if a column holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from fornet_hf.errors import ConfigurationError, SourceError, explain

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"})
PAGES = frozenset({".html", ".svg", ".md", ".ipynb"})
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_KEY = re.compile(rb"n\d{8}_\d+|ILSVRC2012_(?:train|val|test)_\d{8}")
_PLACE = re.compile(r"(?:^|[/\\._-])(?:n\d{8}(?=[/\\_.]|$)|ILSVRC2012_(?:train|val|test)_\d{8})")
_WITHIN = re.compile(rb"data:image/(?!svg)|<image[\s>]|image/(?:png|jpeg)\"", re.IGNORECASE)
_ROWS = 64  # of a table that are looked at
_CONSENT = "--images-may-be-published"


def holds_images(path: Path) -> bool:
    """Return whether a file is an image, a page with images in it, or a table with a column of them."""
    ending = path.suffix.lower()
    if ending in PAGES:
        return _WITHIN.search(path.read_bytes()) is not None
    if ending == ".parquet":
        return _table_holds(path)
    with path.open("rb") as file:
        return ending in ENDINGS or is_image(file.read(16))


def is_image(beginning: bytes) -> bool:
    """Return whether bytes begin as an image does."""
    return beginning.startswith(_BEGINNINGS) or (beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP")


def is_of_imagenet(path: str) -> bool:
    """Return whether a path has a key or class of ImageNet in it."""
    return _PLACE.search(path) is not None


def refuse_images(files: Mapping[str, Path], *, allowed: bool, beside: Iterable[Path] = (), then: str = "") -> None:
    """Refuse images of ImageNet, and all others unless the publisher says that they may be published.

    Args:
        files: to publish, by path in the repository.
        allowed: whether images that are not ImageNet's may be published.
        beside: texts that name the keys of the images.
        then: how to leave the images out.

    Raises:
        ConfigurationError: an image must not be published; the message names it.
    """
    images = {name: path for name, path in files.items() if holds_images(path)}
    if not images:
        return
    refuse_named(images, then=then)
    texts = {path for path in (*beside, *images.values()) if path.suffix.lower() in {*PAGES, ".json", ".csv"}}
    if keys := sorted({key.decode() for path in texts for key in _KEY.findall(path.read_bytes())}):
        raise _of_imagenet(f"{min(images)} beside the keys {', '.join(keys[:3])}", then)
    if not allowed:
        found = f"{len(images)} files with images, such as {min(images)}"
        again = f"If all of them may be published, say so: {_CONSENT}. {then}".strip()
        raise ConfigurationError(explain("images are not published without your word", found=found, then=again))


def refuse_named(images: Mapping[str, Path], *, then: str = "") -> None:
    """Refuse images in whose names, or in whose folders' names, ImageNet's keys or classes stand.

    Raises:
        ConfigurationError: there is one.
    """
    if named := sorted(name for name, path in images.items() if is_of_imagenet(name) or is_of_imagenet(str(path))):
        raise _of_imagenet(", ".join(named[:3]), then)


def _of_imagenet(found: str, then: str) -> ConfigurationError:
    what = "images of ImageNet must not be published: its terms forbid passing them on"
    return ConfigurationError(explain(what, found=found, then=then))


def _table_holds(path: Path) -> bool:
    """Return whether a column of a Parquet file holds images, judged by its first rows.

    Raises:
        SourceError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        rows = next(file.iter_batches(batch_size=_ROWS), None)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(explain(f"{path}: cannot be read as Parquet", found=error)) from error
    values = [] if rows is None else [value for column in rows.columns for value in column.to_pylist()]
    return any(is_image(one) for value in values for one in _bytes_in(value))


def _bytes_in(value: object) -> Iterable[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _bytes_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _bytes_in(one)
