"""Images that must not be published: those of ImageNet never, others with the publisher's word alone.

ImageNet's images are known by their keys, `n01440764_10026` and `ILSVRC2012_val_00000293`, and by folders of classes,
`n01440764`. A file counts as an image by its ending or by how it begins; a text if an image is written within it, or
if it is no text at all; a table if a column holds images, or bytes that may be some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from fornet_hf.errors import ConfigurationError, SourceError, explain

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"})
PAGES = frozenset({".html", ".svg", ".md", ".ipynb"})
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
_KEY = re.compile(rb"n\d{8}_\d+|ILSVRC20\d\d_(?:train|val|test)_\d{8}")
_PLACE = re.compile(
    r"(?<![a-z0-9])(?:n\d{8}(?!\d)|ILSVRC20\d\d[\W_](?:train|val|test)[\W_]\d{8})", re.IGNORECASE | re.ASCII
)
_WITHIN = re.compile(rb"data:image/(?!svg)|<(?:\w+:)?image[\s>]|image/(?:png|jpeg)\"", re.IGNORECASE)
# JPEG, PNG, GIF, WebP and TIFF in base64, as it stands in JSON or in an address.
_CODED = re.compile(rb"(?:\\?[/_]9j\\?[/_]|iVBORw0KGgo|R0lGOD|UklGR|SUkqA|TU0AK)[\w+/\\-]{64}")
_BYTES = re.compile(r"binary(?:_view)?(?![\w:])|list<\w+: uint8\b")  # in the name of a type of Arrow
_CONSENT = "--images-may-be-published"


def holds_images(path: Path) -> bool:
    """Return whether a file is an image, a text with images in it or no text, or a table with a column of them."""
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _table_holds(path)
    data = path.read_bytes()
    if ending in ENDINGS or is_image(data):
        return True
    within = ending in PAGES and _WITHIN.search(data) is not None
    return within or _CODED.search(data) is not None or not _is_text(data)


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
        beside: files that name the keys of the images.
        then: how to leave the images out.

    Raises:
        ConfigurationError: an image must not be published; the message names it.
    """
    images = {name: path for name, path in files.items() if holds_images(path)}
    if not images:
        return
    refuse_named(images, then=then)
    named = {*beside, *images.values()}
    if keys := sorted({key.decode() for path in named for key in _KEY.findall(path.read_bytes())}):
        raise _of_imagenet(f"{min(images)} beside the keys {', '.join(keys[:3])}", then)
    if not allowed:
        found = f"{len(images)} files with images, such as {min(images)}"
        again = f"If all of them may be published, say so: {_CONSENT}. {then}".strip()
        raise ConfigurationError(explain("images are not published without your word", found=found, then=again))


def refuse_named(images: Mapping[str, Path], *, then: str = "") -> None:
    """Refuse images in whose names, or in whose folders' names, ImageNet's keys or classes stand, also behind links.

    Raises:
        ConfigurationError: there is one.
    """
    of_imagenet = (name for name, path in images.items() if any(map(is_of_imagenet, (name, str(path.resolve())))))
    if named := sorted(of_imagenet):
        raise _of_imagenet(", ".join(named[:3]), then)


def _of_imagenet(found: str, then: str) -> ConfigurationError:
    what = "images of ImageNet must not be published: its terms forbid passing them on"
    return ConfigurationError(explain(what, found=found, then=then))


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _table_holds(path: Path) -> bool:
    """Return whether a column of a Parquet file is of bytes, or has images written in its text.

    Raises:
        SourceError: it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            kinds = {one.name: str(getattr(one.type, "storage_type", one.type)) for one in schema}
            if any(map(_BYTES.search, kinds.values())):
                return True
            texts = [name for name, kind in kinds.items() if "string" in kind]
            rows = file.iter_batches(columns=texts) if texts else ()
            return any(_CODED.search(str(part.to_pylist()).encode(errors="replace")) for part in rows)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(explain(f"{path}: cannot be read as Parquet", found=error)) from error
