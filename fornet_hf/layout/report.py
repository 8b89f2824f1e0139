"""Report of what became of the images: counts, and every problem with its reason."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fornet_hf.errors import ForNetError, IntegrityError, NotFoundError, PatchFormatError, SourceError
from fornet_hf.files import clear_leftovers, write_text

MISSING_CLASS = "missing class folder"
MISSING = "missing image"
UNREADABLE = "unreadable image"
OTHER = "not the image that the patch was made for"
DAMAGED = "damaged patch"
UNIT = "unreadable file of patches or images"
_REASONS: tuple[tuple[type[ForNetError], str], ...] = (
    (NotFoundError, MISSING),
    (SourceError, UNREADABLE),
    (IntegrityError, OTHER),
    (PatchFormatError, DAMAGED),
)


@dataclass(frozen=True)
class Problem:
    """One image, or a whole unit of work, that could not be done.

    Attributes:
        reason: one of this module's.
        name: class folder and key, or the file.
        message: all that is known.
    """

    reason: str
    name: str
    message: str


@dataclass
class Report:
    """Counts and problems of a split.

    Attributes:
        split: `train` or `validation`.
        made: images that were made now.
        present: images that were there already.
        problems: one for each that could not be made.
    """

    split: str
    made: int = 0
    present: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Count another part of the same split."""
        self.made += other.made
        self.present += other.present
        self.problems += other.problems

    @property
    def counts(self) -> dict[str, int]:
        """`ok`, of these `already there`, and how many problems of each reason."""
        return {"ok": self.made + self.present, "already there": self.present, **self.reasons}

    @property
    def reasons(self) -> dict[str, int]:
        """Number of problems of each reason."""
        return dict(sorted(Counter(problem.reason for problem in self.problems).items()))

    def write_problems(self, path: Path) -> None:
        """Write the problems as lines of JSON; without any, no such file is left."""
        if self.problems:
            write_text(path, "".join(json.dumps(vars(one)) + "\n" for one in self.problems))
        else:
            clear_leftovers(path)
            path.unlink(missing_ok=True)


def read_problems(path: Path) -> list[Problem]:
    """Return the problems that an earlier run wrote down; none without the file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [Problem(**json.loads(line)) for line in lines]


def problem_of(error: ForNetError, name: str, *, class_missing: bool) -> Problem:
    """Return the error of an image as a problem."""
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), DAMAGED)
    if reason == MISSING and class_missing:
        reason = MISSING_CLASS
    return Problem(reason, name, str(error))
