"""Everything that commands of this project want and do not bring along: the one list of it.

Digests are those that somebody states: torchvision for its own sets and weights (whose names end with the first
digits of their SHA-256), the package of LaMa for its file, and public code for CUB-200-2011. Addresses are those of
the packages that fetch the same, or of public code and pages of the authors; no server was asked. Sizes are rounded,
from docs/masks.md, docs/getting_started.md and torchvision.
"""

from __future__ import annotations

from producers.downloads.models import WEIGHTS
from producers.downloads.sets import DATA

__all__ = ["CATALOGUE", "DATA", "WEIGHTS"]

CATALOGUE = {item.name: item for item in (*DATA, *WEIGHTS)}
"""All of it, by name."""
