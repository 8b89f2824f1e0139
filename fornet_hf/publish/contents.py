"""The files of a release in its repository: where they come from, and that none of them holds a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import sha256_of
from fornet_hf.hub.errors import TOKENS
from fornet_hf.release.verify import CARD

Content = Path | bytes

_CODE = ("ForNet.py", "requirements.txt", "pyproject.toml", "LICENSE")
_FOLDERS = ("fornet_hf", "docs")
_KEPT = (CARD, ".gitattributes")  # the second tells the Hub which files are large
_IMAGE_ENDINGS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png"}
_MAX_IMAGE = 4 * 10**6  # bytes: a card should load fast


def library_files(root: Path) -> dict[str, Content]:
    """Return the builder script, the library, its requirements and documents, by path in the repository.

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
    """Return the path of a sample image in the repository.

    Raises:
        NotFoundError: it does not exist.
        ConfigurationError: it is no JPEG or PNG, or too large.
    """
    if not image.is_file():
        raise NotFoundError(explain("the sample image is missing", found=f"no file {image}"))
    with image.open("rb") as file:
        start, size = file.read(8), image.stat().st_size
    ending = next((ending for magic, ending in _IMAGE_ENDINGS.items() if start.startswith(magic)), None)
    if ending is None or size > _MAX_IMAGE:
        found = f"{size} bytes that begin with {start!r}"
        allowed = f"JPEG or PNG, at most {_MAX_IMAGE} bytes"
        raise ConfigurationError(explain(f"{image}: the sample image", found=found, allowed=allowed))
    # The name changes with the image, so that no cache shows an old one.
    return f"assets/sample-{sha256_of(image)[:8]}{ending}"


def superseded(remote: Sequence[str], wanted: Mapping[str, object], remove: Sequence[str]) -> list[str]:
    """Return the files in the repository that what is published does away with.

    Args:
        remote: paths in the repository.
        wanted: the files to publish, by path.
        remove: patterns of files to delete, such as `*.zip`; the card and `.gitattributes` always stay.
    """
    return [
        path
        for path in sorted(remote)
        if path not in wanted and path not in _KEPT and any(fnmatch(path, pattern) for pattern in remove)
    ]


def refuse_tokens(files: Mapping[str, Content], own: str | None) -> None:
    """Refuse files that hold a token, which would be published.

    Args:
        files: by the path that messages name; they are read whole.
        own: the token in use, whatever it looks like.

    Raises:
        ConfigurationError: a file holds a token, which the message does not repeat.
    """
    for path, content in files.items():
        data = content if isinstance(content, bytes) else content.read_bytes()
        match = TOKENS.search(data)
        at = match.start() if match else data.find(own.encode()) if own else -1
        if at >= 0:
            line = data.count(b"\n", 0, at) + 1
            then = "Remove it, and revoke the token on https://huggingface.co/settings/tokens if others could see it."
            raise ConfigurationError(explain(f"{path}, line {line}: this looks like an access token", then=then))
