"""Selections of images as NumPy files: those of Deep Region Competition name its training and test images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fornet_hf.errors import SourceError, explain


def read_selection(path: Path) -> list[str]:
    """Return the names in a selection, a list of numbers or texts; nothing in the file is run.

    Raises:
        SourceError: it is damaged, holds objects, or a name is not one of a file.
    """
    try:
        found = np.lib.format.open_memmap(path, mode="r")  # mapped: a header may promise any size
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, OverflowError) as error:
        raise SourceError(explain(f"{path} cannot be read", found=error, allowed="a NumPy array")) from error
    if found.ndim != 1 or found.dtype.kind not in "iuU":
        kind = f"{found.dtype}, shape {found.shape}"
        raise SourceError(explain(f"{path} is no selection", found=kind, allowed="a list of numbers or names"))
    tokens = [str(one) for one in found]
    for token in tokens:
        if Path(token).name != token or token in ("", "..") or "\0" in token:
            what, allowed = f"{path}: a name is not one of a file", "numbers or names without folders"
            raise SourceError(explain(what, found=repr(token)[:80], allowed=allowed))
    return tokens
