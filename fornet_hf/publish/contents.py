"""Which files a release consists of in its repository, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import sha256_of
from fornet_hf.hub.places import PATCHES
from fornet_hf.publish.card import IMAGE
from fornet_hf.release.verify import CARD

Content = Path | bytes

_CODE = ("ForNet.py", "requirements.txt", "pyproject.toml", "LICENSE")
_FOLDERS = ("fornet_hf", "docs")
_MANAGED = (f"{PATCHES}/*", "fornet_hf/*", "docs/*", "assets/*")
"""What a release replaces as a whole: files below these that it does not have are deleted."""

_KEPT = (CARD, ".gitattributes")  # the second tells the Hub which files are large
_IMAGES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png"}
_MAX_IMAGE = 4 * 10**6  # bytes: a card should load fast


def library_files(root: Path) -> dict[str, Content]:
    """The builder script, the library, its requirements and documents, by path in the repository.

    Raises:
        NotFoundError: the script or the library is not in `root`.
    """
    found: dict[str, Content] = {name: root / name for name in _CODE if (root / name).is_file()}
    for folder in _FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
                found["/".join(parts)] = path
    missing = [name for name in ("ForNet.py", "fornet_hf/__init__.py", "requirements.txt") if name not in found]
    if missing:
        raise NotFoundError(explain(f"{root}: not the project's folder", found=f"no {', '.join(missing)}"))
    return found


def image_path(image: Path) -> str:
    """Where a sample image goes in the repository.

    Raises:
        NotFoundError: it does not exist.
        ConfigurationError: it is no JPEG or PNG, or too large.
    """
    if not image.is_file():
        raise NotFoundError(explain("the sample image is missing", found=f"no file {image}"))
    with image.open("rb") as file:
        start, size = file.read(8), image.stat().st_size
    ending = next((ending for magic, ending in _IMAGES.items() if start.startswith(magic)), None)
    if ending is None or size > _MAX_IMAGE:
        found = f"{size} bytes that begin with {start!r}"
        allowed = f"JPEG or PNG, at most {_MAX_IMAGE} bytes"
        raise ConfigurationError(explain(f"{image}: the sample image", found=found, allowed=allowed))
    # The name changes with the image, so that no cache shows an old one.
    return f"{IMAGE}-{sha256_of(image)[:8]}{ending}"


def superseded(remote: Sequence[str], wanted: Mapping[str, object], remove: Sequence[str] = ()) -> list[str]:
    """The files in the repository which this release does away with.

    Args:
        remote: paths in the repository.
        wanted: the files of the release, by path.
        remove: patterns of further files to delete, such as `*.zip`; the card and `.gitattributes` always stay.
    """
    patterns = (*_MANAGED, *remove)
    return [
        path
        for path in sorted(remote)
        if path not in wanted and path not in _KEPT and any(fnmatch(path, pattern) for pattern in patterns)
    ]
