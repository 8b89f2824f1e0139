"""The places that things are fetched to: the caches that commands look into, or a folder."""

from __future__ import annotations

import os
from pathlib import Path

from producers.downloads.item import FILE, PAGE, Item


def torch_checkpoints() -> Path:
    """Return the folder in which torch.hub keeps files of weights, without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def paths_of(item: Item, out: Path, *, everything: bool) -> list[Path]:
    """Return where the files of an item belong; none of a repository, whose files the Hub names.

    Args:
        item: of the catalogue.
        out: folder for what no cache is looked into for.
        everything: put all of it there.
    """
    in_cache = item.in_torch and not everything
    folder = torch_checkpoints() if in_cache else out / item.name
    return [folder / name for name in item.names] if item.kind in (FILE, PAGE) else []
