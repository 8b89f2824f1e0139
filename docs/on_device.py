"""The section of the page of benchmarks on composing on the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WORDS = (
    "Random crop to {size} x {size} and flip, normalized, in batches of {batch}; {compose} composes, {decode} "
    "decodes. *pixels* and *jpeg* are the ways of [`defer`](device.md), *CPU* is recombination in the workers with "
    "`to_tensor`, and *plain JPEG* loads the original images."
)

_ON_CPU = (
    "Composing on CPU tensors shows that images are right, and what workers have to do: *all processes* less *the "
    "main process*. It says nothing about speed on a GPU."
)


def composing(result: Mapping[str, Any]) -> str:
    """Return speeds of composing and loading, what training waited, how close pixels are, and the goals met."""
    head = _WORDS.format(**result["options"], **result["backend"])
    tables = [render(result) for name, render in _TABLES.items() if name in result]
    on_cpu = result["device"] == "CPU"
    goals = [] if on_cpu else [_table(["goal, on one H200", "here", "met"], list(_goals(result)))]
    left = [f"Left out, as time was up: {', '.join(result['left_out'])}."] if "left_out" in result else []
    failed = [f"Failed: {', '.join(f'{name} ({error})' for name, error in result.get('failed', {}).items())}."]
    left += failed if "failed" in result else []
    notes = [_ON_CPU] if on_cpu else [result["note"]] if "note" in result else []
    return "\n\n".join([head, *notes, *tables, *goals, *left])


def _alone(result: Mapping[str, Any]) -> str:
    rows = [[name, f"{times['items_per_second']:,.0f}"] for name, times in result["composing"].items()]
    return _table(["bytes on the device", "images a second"], rows)


def _with_workers(result: Mapping[str, Any]) -> str:
    rows = [
        [
            row["side"],
            row["workers"],
            f"{row['images_per_second']:,.0f}",
            f"{row['cpu_ms_an_image']:.2f}",
            f"{row['cpu_ms_an_image_in_main']:.2f}",
        ]
        for row in result["end_to_end"]
    ]
    return _table(
        ["end to end", "workers", "images a second", "CPU ms an image, all processes", "in the main process"], rows
    )


def _waiting(result: Mapping[str, Any]) -> str:
    rows = [
        [
            row["network"],
            row["side"],
            row["workers"],
            f"{row['alone_ms']:.1f}",
            f"{row['ms_a_step']:.1f}",
            f"{row['waited']:.1%}",
        ]
        for row in result["training"]
    ]
    return _table(["training step of", "images by", "workers", "ms alone", "ms here", "of that waiting"], rows)


def _pixels(result: Mapping[str, Any]) -> str:
    rows = [
        [name, f"{off['mean']:.3f}", f"{off['percentile_99.9']:.0f}", f"{off['max']:.0f}"]
        for name, off in result["agreement"].items()
    ]
    return _table(["levels of 255 to the CPU's images", "mean", "99.9th percentile", "most"], rows)


_TABLES = {"composing": _alone, "end_to_end": _with_workers, "training": _waiting, "agreement": _pixels}


def _goals(result: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield each goal, the figure here, and whether it is met."""
    speed = max(
        (times["items_per_second"] for name, times in result.get("composing", {}).items() if "decoding" not in name),
        default=0.0,
    )
    yield ["composing 100,000 images a second", f"{speed:,.0f}", _met(speed >= 100_000)]
    loaded = result.get("end_to_end", [])
    if speeds := [row["images_per_second"] for row in loaded if _kind(row) == "jpeg"]:
        yield ["`jpeg` 8,000 images a second, end to end", f"{max(speeds):,.0f}", _met(max(speeds) >= 8000)]
    for side, most in (("jpeg", 0.35), ("pixels", 1.0)):
        if costs := [row["cpu_ms_an_image"] for row in loaded if _kind(row) == side]:
            yield [f"`{side}` {most:.2f} CPU ms an image", f"{min(costs):.2f} at the least", _met(min(costs) <= most)]
    for row in result.get("training", []):
        if row["network"] == "ResNet-50" and (_kind(row), row["workers"]) in (("jpeg", 2), ("pixels", 4)):
            goal = f"ResNet-50 waits less than 2% with `{_kind(row)}` and {row['workers']} workers"
            yield [goal, f"{row['waited']:.0%}", _met(row["waited"] < 0.02)]


def _kind(row: Mapping[str, Any]) -> str:
    """Return the way of a row; what follows a comma says how it differed."""
    side: str = row["side"]
    return side.partition(",")[0]


def _met(met: bool) -> str:  # noqa: FBT001
    return "yes" if met else "no"


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
