"""The dataset card: a template whose placeholders `{{name}}` are filled with figures from the shards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import readable_bytes
from fornet_hf.format.manifest import Manifest
from fornet_hf.publish.origin import origin_values
from fornet_hf.release.statistics import BINS
from fornet_hf.release.verify import PLACEHOLDER, check_card

IMAGE = "assets/sample"
_SIZES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M", 10**7: "1M<n<10M"}


def fill_card(
    template: str, manifest: Manifest, statistics: Mapping[str, Any], *, repository: str, image: str | None
) -> str:
    """The card of a release.

    Args:
        template: Markdown with a YAML header and placeholders.
        manifest: of the release.
        statistics: as `describe` gives them.
        repository: which it is published to.
        image: path of the sample image in the repository, if there is one.

    Raises:
        ConfigurationError: the template has an unknown placeholder, or its header is not valid.
    """
    values = {**origin_values(manifest, repository), **_values(manifest, statistics, image)}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ConfigurationError(explain("the card: unknown placeholder", found=match[0], allowed=sorted(values)))
        return values[match[1]]

    card = PLACEHOLDER.sub(value, template)
    check_card(card)
    return card


def _values(manifest: Manifest, statistics: Mapping[str, Any], image: str | None) -> dict[str, str]:
    from fornet_hf.builder.configuration import CITATION  # with all of `datasets`, which takes a second

    rows = sum(split["rows"] for split in statistics.values())
    size = sum(split["bytes"] for split in statistics.values())
    encoding = manifest.encoding
    return {
        "size_category": size_category(rows),
        "rows": f"{rows:,}",
        "size": readable_bytes(size),
        "bytes_per_row": f"{size / rows:,.0f}" if rows else "-",
        "classes": f"{max((split['classes'] for split in statistics.values()), default=0):,}",
        "encoding": f"longest side {encoding.max_side} pixels, dilation {encoding.dilation} pixels",
        "splits": _table(statistics),
        "ratios": _ratios(statistics),
        "producer": _producer(manifest.producer),
        "picture": f"![Images taken apart and recombined]({image})\n" if image else "",
        "citation": CITATION,
    }


def size_category(rows: int) -> str:
    """Return the Hub's name for a number of rows."""
    return next((name for limit, name in _SIZES.items() if rows < limit), "10M<n<100M")


def _table(statistics: Mapping[str, Any]) -> str:
    lines = ["| split | rows | foregrounds | backgrounds | shards | size |", "|---|--:|--:|--:|--:|--:|"]
    for name, split in statistics.items():
        counts = " | ".join(f"{split[column]:,}" for column in ("rows", "foregrounds", "backgrounds", "shards"))
        lines.append(f"| {name} | {counts} | {readable_bytes(split['bytes'])} |")
    return "\n".join(lines)


def _ratios(statistics: Mapping[str, Any]) -> str:
    """The share of the foregrounds by ratio, in ten steps."""
    head = "| foreground ratio | " + " | ".join(statistics) + " |"
    lines = [head, "|---|" + "--:|" * len(statistics)]
    for step in range(0, BINS, 2):
        shares = []
        for split in statistics.values():
            count = sum(split["foreground_ratio"]["counts"][step : step + 2])
            shares.append(f"{count / split['foregrounds']:.1%}" if split["foregrounds"] else "-")
        lines.append(f"| {step / BINS:.1f} to {(step + 2) / BINS:.1f} | " + " | ".join(shares) + " |")
    return "\n".join(lines)


def _producer(producer: Mapping[str, Any]) -> str:
    if not producer:
        return "Not recorded."
    return "\n".join(f"- {name}: {_plain(value)}" for name, value in producer.items())


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return f"`{value}`"
