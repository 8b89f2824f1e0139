"""Every error that this project raises on purpose.

    ForNetError
    ├── ConfigurationError     (ValueError)         a parameter that is not allowed
    ├── PatchFormatError       (ValueError)         a patch, shard or manifest that breaks the format
    ├── IntegrityError         (ValueError)         bytes that do not have the digest they should have
    ├── SourceError            (ValueError)         a source image that cannot be decoded or used
    ├── EmptyMaskError         (ValueError)         a mask without a single object pixel
    ├── NotFoundError          (FileNotFoundError)  a file, folder, release or image that is not there
    ├── AccessError            (PermissionError)    the Hub refuses: not logged in, or no access granted
    ├── UnreachableError       (ConnectionError)    the Hub does not answer, and the cache lacks the file
    ├── ConflictError          (RuntimeError)       somebody else changed the repository meanwhile
    ├── StorageError           (OSError)            a disk is full, or cannot be written
    ├── WorkerDiedError        (RuntimeError)       a process that did part of the work was killed
    └── MissingDependencyError (ImportError)        a package that the stage needs is not installed

Each also inherits the builtin in brackets, so code that knows nothing of ForNet can catch it. All take
one string, so they survive the way from a worker process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class ForNetError(Exception):
    """Base of all errors of this project.

    Example:
        >>> import fornet_hf
        >>> try:
        ...     fornet_hf.CropConfig(size=0)
        ... except fornet_hf.ForNetError as error:
        ...     print(error)
        crop.size is not allowed; found 0; allowed: pixels from 1 to 4096, or (width, height)
    """

    def at(self, where: object) -> Self:
        """Return the same error with the place (file, row, key) put in front of its message."""
        return type(self)(f"{where}: {self}")


class ConfigurationError(ForNetError, ValueError):
    """A parameter has a type or value that is not allowed."""


class PatchFormatError(ForNetError, ValueError):
    """A patch, a shard or a manifest does not follow docs/patch_format.md."""


class IntegrityError(ForNetError, ValueError):
    """Bytes do not have the digest which the release recorded for them."""


class SourceError(ForNetError, ValueError):
    """A source image cannot be decoded, or is larger than the format allows."""


class EmptyMaskError(ForNetError, ValueError):
    """A mask selects no pixel, so there is no foreground to cut out."""


class NotFoundError(ForNetError, FileNotFoundError):
    """A file, folder, release or image which was asked for does not exist."""


class AccessError(ForNetError, PermissionError):
    """The Hub refuses access: no token, a wrong one, or terms not accepted."""


class UnreachableError(ForNetError, ConnectionError):
    """The Hub cannot be reached, or was not asked (offline), and the cache does not have the file."""


class ConflictError(ForNetError, RuntimeError):
    """Somebody else changed the repository meanwhile."""


class StorageError(ForNetError, OSError):
    """A disk is full, or cannot be written or read."""


class WorkerDiedError(ForNetError, RuntimeError):
    """A process that did part of the work was killed, or failed time and again; what was finished stays finished."""


class MissingDependencyError(ForNetError, ImportError):
    """An optional package is missing; the message has the pip line that installs it."""


_LONGEST_FOUND = 600  # characters of what was found in a message

# The package is installed from where it is published; git-lfs need not fetch the patches for that.
INSTALL = (
    'GIT_LFS_SKIP_SMUDGE=1 pip install -U "fornet-hf[torch] @ git+https://huggingface.co/datasets/TNauen/ForNet"'
)


def short(value: object, most: int = 100) -> str:
    """Return a value as text on one line of at most `most` characters.

    Keys and names may come from a hostile file: of any length, and with what a terminal obeys.
    """
    text = "".join(one if one.isprintable() else repr(one)[1:-1] for one in str(value)[: most + 1])
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def explain(what: str, *, found: object = None, allowed: object = None, then: str | None = None) -> str:
    """Return an error message: what is wrong, what was found, what is allowed, and the next step."""
    parts = [what]
    if found is not None:
        parts.append(f"found {short(found, _LONGEST_FOUND)}")
    if allowed is not None:
        parts.append(f"allowed: {allowed}")
    message = "; ".join(parts)
    if then and not message.endswith(".."):
        message = message.removesuffix(".")  # some libraries end their messages so
    return f"{message}. {then}" if then else message
