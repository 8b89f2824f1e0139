"""`statistics.json` beside the manifest: what is in a release, counted from its shards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import median
from typing import Any

from fornet_hf.release.inspection import BINS, ShardFacts

STATISTICS = "statistics.json"


def describe(facts: Mapping[str, ShardFacts], shards: Mapping[str, int]) -> dict[str, Any]:
    """The statistics of a release as JSON object.

    Args:
        facts: of each split.
        shards: number of shards of each split.
    """
    return {split: {"shards": shards[split], **_describe(one)} for split, one in facts.items()}


def _describe(facts: ShardFacts) -> dict[str, Any]:
    counts = sorted(facts.labels.values())
    return {
        "rows": facts.rows,
        "foregrounds": facts.foregrounds,
        "backgrounds": facts.backgrounds,
        "bytes": facts.bytes,
        "classes": len(counts),
        "rows_per_class": {"min": counts[0], "median": median(counts), "max": counts[-1]} if counts else None,
        "foreground_ratio": {
            "mean": round(facts.ratio_sum / facts.foregrounds, 6) if facts.foregrounds else None,
            "edges": [round(step / BINS, 6) for step in range(BINS + 1)],
            "counts": list(facts.histogram),
        },
    }


def to_text(statistics: Mapping[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(statistics, indent=1) + "\n"
