"""Reports: what happened to every image, and where the time went."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

Made = TypeVar("Made")

OUTCOMES = ("ok", "no_detect", "error")


@dataclass(frozen=True)
class Lost:
    """An image without a patch.

    Attributes:
        key: of the image.
        outcome: `no_detect` or `error`.
        kind: the reason in a word or two, to count by.
        detail: the whole message.
    """

    key: str
    outcome: str
    kind: str
    detail: str


@dataclass
class Report:
    """Counts by outcome, every lost image with its reason, and seconds by stage of one or more shards.

    Attributes:
        ok: number of images which have a patch.
        lost: the images which have none.
        seconds: of wall time spent by stage (`read`, `detect`, ...), summed over processes.
        where: host and device that did a shard, as `here` names them; empty for a sum, and in older reports.
        ended: when a shard was done, seconds since 1970; 0 likewise.
        ahead: images that are done and not counted yet, as older ones come before them.
        watch: is told the number of images that are done, whenever a stage has spent time.
    """

    ok: int = 0
    lost: list[Lost] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    where: str = ""
    ended: float = 0.0
    ahead: int = field(default=0, compare=False, repr=False)
    watch: Callable[[int], None] | None = field(default=None, compare=False, repr=False)

    @property
    def images(self) -> int:
        """All images that were looked at."""
        return self.ok + len(self.lost)

    @contextlib.contextmanager
    def clock(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spend(stage, time.perf_counter() - start)

    def spend(self, stage: str, seconds: float) -> None:
        """Add time to a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        if self.watch is not None:
            self.watch(self.images + self.ahead)

    def counted(self, outcomes: Iterable[Made | Lost]) -> Iterator[Made]:
        """Yield what was made and count it; note what was lost."""
        for outcome in outcomes:
            if isinstance(outcome, Lost):
                self.lost.append(outcome)
            else:
                self.ok += 1
                yield outcome

    def add(self, other: Report) -> None:
        """Add another report's counts and times to this one."""
        self.ok += other.ok
        self.lost.extend(other.lost)
        for stage, spent in other.seconds.items():
            self.spend(stage, spent)

    def outcomes(self) -> dict[str, int]:
        """Count the images by outcome."""
        counts = Counter(lost.outcome for lost in self.lost)
        return {name: self.ok if name == "ok" else counts[name] for name in OUTCOMES}

    def reasons(self) -> dict[str, int]:
        """Count the lost images by `outcome: kind`, most frequent first."""
        return dict(Counter(f"{lost.outcome}: {lost.kind}" for lost in self.lost).most_common())

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object, with images a second for each stage."""
        made = {"where": self.where, "ended": round(self.ended, 3)} if self.ended else {}
        return {
            **made,
            "pictures": self.images,
            "outcomes": self.outcomes(),
            "reasons": self.reasons(),
            "seconds": {stage: round(spent, 3) for stage, spent in self.seconds.items()},
            "pictures_per_second": {
                stage: round(self.images / spent, 2) for stage, spent in self.seconds.items() if spent > 0
            },
            "lost": [vars(lost) for lost in self.lost],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Report:
        """Return the report from what `to_json` gave."""
        return cls(
            value["outcomes"]["ok"],
            [Lost(**lost) for lost in value["lost"]],
            dict(value["seconds"]),
            value.get("where", ""),
            value.get("ended", 0.0),
        )

    def summary(self) -> str:
        """Return a line for people."""
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes().items())
        reasons = "; ".join(f"{count} x {reason}" for reason, count in self.reasons().items())
        return f"{self.images} images: {counts}" + (f" ({reasons})" if reasons else "")
