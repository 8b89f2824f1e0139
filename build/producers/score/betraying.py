"""Backgrounds that betray their objects, by the scores of `fornet leakage`: a selection leaves them out."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from fornet_hf.arguments import require
from fornet_hf.evaluation.leakage.read import read_scores
from fornet_hf.format.patch import Patch


@dataclass(frozen=True, kw_only=True)
class Betraying:
    """Images whose backgrounds are left out.

    Attributes:
        most: score above which they are.
        keys: of the images.
    """

    most: float
    keys: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, table: Path | None, most: float | None) -> Betraying | None:
        """Return the images in a table whose scores are above the highest that is allowed; None: nobody asked.

        Raises:
            ForNetError: the table cannot be read, or only one of the two is given.
        """
        both = (table is None) == (most is None) and (most is None or math.isfinite(most))
        require(both, "--leakage and --max-leakage", f"{table} and {most}", "both of them, a table and a number")
        if table is None or most is None:
            return None
        return cls(most=most, keys=frozenset(key for key, score in read_scores(table).items() if score > most))

    def spared(self, patch: Patch) -> Patch:
        """Return a patch without its background if that betrays its object, which stays; else the patch as it is."""
        if patch.key not in self.keys or patch.mask is None:
            return patch
        return replace(patch, delta=None, target_sha256=None)

    def to_json(self) -> dict[str, object]:
        """Return what the manifest says about it."""
        keys = "".join(f"{key}\n" for key in sorted(self.keys))
        digest = hashlib.sha256(keys.encode()).hexdigest()[:16]
        return {"score": self.most, "left_out": len(self.keys), "digest": digest}
