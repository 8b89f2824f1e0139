"""Hides the modules that HIDDEN_MODULES names, from this process and its children, as if they were not installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

HIDDEN = frozenset(os.environ.get("HIDDEN_MODULES", "").split())


class Installed(PathFinder):
    """What is on the path, less the hidden modules."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the class above."""
        return None if fullname.partition(".")[0] in HIDDEN else super().find_spec(fullname, path, target)


sys.meta_path = [Installed if finder is PathFinder else finder for finder in sys.meta_path]
