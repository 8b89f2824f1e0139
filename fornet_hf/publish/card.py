"""The dataset card: a template whose placeholders `{{name}}` are filled with figures from the shards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fornet_hf.builder.about import CITATION
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import readable_bytes
from fornet_hf.format.manifest import Manifest
from fornet_hf.release.statistics import BINS
from fornet_hf.release.verify import PLACEHOLDER, check_card

_TERMS = "https://www.image-net.org/download.php"
_FOLDER = "/path/to/pictures"
_IN_A_FOLDER = (
    f'If you have the images in a folder (`train/` and `val/` with class folders), add `imagenet_dir="{_FOLDER}"`.'
)
_SIZES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M", 10**7: "1M<n<10M"}


def fill_card(
    template: str,
    manifest: Manifest,
    statistics: Mapping[str, Any],
    *,
    repository: str,
    image: str | None,
    remarks: Sequence[str] = (),
) -> str:
    """Return the card of a release.

    Args:
        template: Markdown with a YAML header and placeholders.
        manifest: of the release.
        statistics: of every split, as in `statistics.json`.
        repository: which it is published to.
        image: path of the sample image in the repository, if there is one.
        remarks: sentences about how it was made, more than the manifest says.

    Raises:
        ConfigurationError: the template has an unknown placeholder, or its header is not valid.
    """
    values = {**_origin_values(manifest, repository), **_values(manifest, statistics, image)}
    values["producer"] = "\n".join([values["producer"], *(f"- {remark}" for remark in remarks)])

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ConfigurationError(explain("the card: unknown placeholder", found=match[0], allowed=sorted(values)))
        return values[match[1]]

    card = PLACEHOLDER.sub(value, template)
    check_card(card)
    return card


def _origin_values(manifest: Manifest, repository: str) -> dict[str, str]:
    """Return the values about names, source and licence; a manifest without class names is of ImageNet-1k."""
    source, revision = manifest.source, manifest.source_revision
    is_imagenet, is_on_hub = manifest.classes is None, source.count("/") == 1
    link = f"[{source}](https://huggingface.co/datasets/{source})" if is_on_hub else f"`{source}`"
    return {
        "repository": repository,
        "name": repository.rpartition("/")[2],
        "source_dataset": f"extended|{source}" if is_on_hub else "original",
        "pictures": "ImageNet" if is_imagenet else "the images",
        "images": "" if is_on_hub else f', imagenet_dir="{_FOLDER}"',
        "folder": _IN_A_FOLDER if is_on_hub else f"Put the folder of the images in place of `{_FOLDER}`.",
        "access": _access(link, is_imagenet=is_imagenet, is_on_hub=is_on_hub),
        "made_from": link + (f" at revision {revision}" if revision else ""),
        "license": f"license_name: imagenet-terms-of-access\nlicense_link: {_TERMS}"
        if is_imagenet
        else "license_name: terms-of-the-images",
        "terms": _terms(link, is_imagenet=is_imagenet),
    }


def _access(link: str, *, is_imagenet: bool, is_on_hub: bool) -> str:
    if is_imagenet and is_on_hub:
        return (
            f"You need a copy of ImageNet: access to {link} (accept its terms there, then `hf auth login`), or the\n"
            "usual folder of class folders."
        )
    what = "a copy of ImageNet" if is_imagenet else f"the images that the patches were made from, {link}"
    return f"You need {what}" + ("." if is_on_hub else ": `train/` and `val/` with class folders.")


def _terms(link: str, *, is_imagenet: bool) -> str:
    if is_imagenet:
        return (
            "What you make with them contains ImageNet's images, so ImageNet's\n"
            f"[terms of access]({_TERMS}) govern its use: research and education, not commerce, and no\npassing on."
        )
    return f"What you make with them contains images of {link}, so their terms govern its use."


def _values(manifest: Manifest, statistics: Mapping[str, Any], image: str | None) -> dict[str, str]:
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
    """Return a table of the share of the foregrounds by ratio, in ten steps."""
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
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items()) or "none"
    return f"`{value}`"
