"""The page of benchmarks, from the JSON files in benchmarks/results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from on_device import composing
from producing import beside, counted, segmenting, taking_apart

_HEAD = """# Benchmarks

All figures come from `benchmarks/`, whose [rules](../benchmarks/README.md) describe the measurements.
Run the benchmarks on your machine with `make benchmarks`. Compare figures within a table, not between machines.
"""


def benchmarks_page(root: Path) -> str:
    """The page, with a section for each result."""
    sections = []
    for path in sorted((root / "benchmarks" / "results").glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        title, render = _section(path.stem, result)
        sections.append(f"## {title}\n\n{render(result).strip()}\n\n{_machine(path.name, result)}\n")
    return "\n".join([_HEAD, *sections])


def _section(name: str, result: Mapping[str, Any]) -> tuple[str, Callable[[Mapping[str, Any]], str]]:
    """Return title and renderer of a result."""
    if name.partition("_")[0] == "device":  # one for each device
        return f"Composing on the device: {result['device']}", composing
    if name.partition("_")[0] == "attention":
        return f"Masks by cross-attention: {result.get('gpu', 'a CPU')}", attending
    if name.partition("_")[0] == "unet":
        return f"A trained U-Net, preset {result['options']['preset']}: {result.get('gpu', 'a CPU')}", distilled
    if "chains" in result:  # one for each device
        return f"Producers: {result.get('gpu', 'a CPU')}", taking_apart
    return _SECTIONS.get(name, (name.replace("_", " ").capitalize(), flat))


def patches(result: Mapping[str, Any]) -> str:
    """Size and speed of patches."""
    lines = ["| infilling | | here | old format |", "|---|---|---|---|"]
    for name, case in result["infilling"].items():
        size, times = case["bytes_a_picture"], case["times"]
        lines += [
            f"| {name} | bytes a patch | {size['patch']:,.0f} | {size['old_patch']:,.0f} |",
            f"| {name} | ms to apply | {times['apply']['median_ms']:.1f} | {times['old apply']['median_ms']:.1f} |",
            f"| {name} | ms to make | {times['make']['median_ms']:.1f} | |",
        ]
    images = next(iter(result["infilling"].values()))["bytes_a_picture"]
    words = "One core. Means of {} photographs with {:,.0f} bytes; {:.0%} of their area is infilled."
    return "\n".join([words.format(images["pictures"], images["source"], images["dilated_area"]), "", *lines])


def preparing(result: Mapping[str, Any]) -> str:
    """Return time, memory and bytes of preparing."""
    width, height = result["size"]
    lines = [
        "| rows | processes | s | s on cores | MB, main process | MB, a worker |",
        "|---|---|---|---|---|---|",
    ]
    for run in result["runs"]:
        cells = [run["rows"], run["workers"], run["seconds"], run["seconds_on_core"]]
        memory = [run["main_peak_mb"], run["worker_peak_mb"]]
        lines.append(f"| {' | '.join(f'{cell:,}' for cell in [*cells, *memory])} |")
    last = result["runs"][-1]
    words = (
        f"Photographs of {width} x {height} in {result['shards']} shards; times include the start of all processes. "
        f"Bytes a row: source {_size(last['source_bytes_a_row'])}, prepared {_size(last['prepared_bytes_a_row'])}."
    )
    return "\n".join([words, "", *lines])


def recombination(result: Mapping[str, Any]) -> str:
    """Speed of recombination."""
    times = result["one_core"]["milliseconds_per_image"]
    lines = ["| side | ms on the clock | ms on the core | images a second |", "|---|---|---|---|"]
    for name, time in times.items():
        core = time.get("on_core_median_ms")
        rate = 1000 / (core or time["median_ms"])
        lines.append(f"| {name} | {time['median_ms']:.2f} | {core or float('nan'):.2f} | {rate:,.0f} |")
    lines += ["", "| compared | times as fast, on the core |", "|---|---|"]
    for name, factor in result["one_core"]["times_as_fast"].items():
        lines.append(f"| {name} | {factor.get('on_core_median_ms', factor['median_ms']):.2f} |")
    words = "To a tensor of 224 x 224 with random crop and flip; medians on one core."
    return "\n".join([words, "", *lines, "", _stages(result)])


def _stages(result: Mapping[str, Any]) -> str:
    """Where the time of the fused path goes."""
    stages = result["one_core"].get("stages_ms_per_image", {}).get("fused", {})
    top = [f"{name} {ms:.2f}" for name, ms in stages.items() if name != "all"][:6]
    return f"The fused side spends its time on (ms): {', '.join(top)}." if top else ""


def loading(result: Mapping[str, Any]) -> str:
    """Return the time of an image to bytes, beside that of plain loading."""
    lines = ["| side | ms on the core | share of plain loading by Pillow |", "|---|---|---|"]
    for name, time in result["milliseconds_per_image"].items():
        lines.append(f"| {name} | {time['on_core_median_ms']:.2f} | {result['share_of_plain'][name]:.2f} |")
    words = (
        f"To bytes of 3 x 224 x 224 with random crop and flip, {result['photos']} different images of "
        f"{_size(result['source_bytes'])} on average; medians on one core. *Fused* decodes and composes two for each."
    )
    packages = ", ".join(f"{name} {version}" for name, version in result["packages"].items())
    return "\n".join([words, "", *lines, "", f"With {packages}."])


def evaluation(result: Mapping[str, Any]) -> str:
    """Return the time of an image in a condition beside that of a plain evaluation, and by the object's area."""
    lines = ["| preprocessing; conditions | ms, plain | ms, a condition | share |", "|---|---|---|---|"]
    for name, part in result.items():
        if "milliseconds_per_image" in part:
            plain, shown = (time["on_core_median_ms"] for time in part["milliseconds_per_image"].values())
            lines.append(
                f"| {name} | {plain:.2f} | {shown:.2f} | {part['condition_of_plain']['on_core_median_ms']:.2f} |"
            )
    lines += ["", "| photo | object's area | share |", "|---|---|---|"]
    for name, part in sorted(result["by_object"].items(), key=lambda one: float(one[1]["object_area"])):
        shown = part["condition_of_plain"]["on_core_median_ms"]
        lines.append(f"| {name.replace('_', ' ')} | {part['object_area']:.0%} | {shown:.2f} |")
    words = (
        "Bytes of 3 x 224 x 224, medians of the time on one core. *Share* is the time of an image in a condition / "
        "that of a plain evaluation of its photo. The second table has the default preprocessing and 25 conditions."
    )
    return "\n".join([words, "", *lines])


def mixing(result: Mapping[str, Any]) -> str:
    """Return the time of a mask beside that of the formulas, on a core and, where there was one, on a GPU."""
    lines = ["| masks | side | ms a mask, on the core | share of the formulas |", "|---|---|---|---|"]
    for masks, part in result["one_core"].items():
        for side, time in part["milliseconds_per_mask"].items():
            share = part["share_of_formulas"].get(side, 1.0)
            lines.append(f"| {masks} | {side} | {time['on_core_median_ms']:.3f} | {share:.2f} |")
    words = (
        "*Formulas* computes the steps of FMix one after the other in NumPy. *NumPy* is `fornet_hf.mixing.masks`, "
        "*torch* `fornet_hf.mixing.on_tensors` on the CPU, each with 16 masks a call. Medians on one core."
    )
    if "on_gpu" in result:
        lines += ["", f"| masks on one {result['gpu']} | ms | times as fast as the formulas |", "|---|---|---|"]
        for masks, part in result["on_gpu"].items():
            ((side, factor),) = part["times_as_fast"].items()
            each = part["milliseconds_per_mask"][side]["median_ms"]
            lines.append(f"| {side} of {masks} | {each * float(side.split()[0]):.2f} | {factor:.0f} |")
    return "\n".join([words, "", *lines])


def reading(result: Mapping[str, Any]) -> str:
    """Bytes and requests a sample."""
    lines = ["| kept as | fetched to open | fetched a sample |", "|---|---|---|"]
    for name, bytes_ in result["storage"].items():
        lines.append(f"| {name} | {_size(bytes_['bytes_to_open'])} | {_size(bytes_['bytes_a_sample'])} |")
    stream = result["streaming"]
    lines += ["", "| streamed by | rows | requests a row | bytes a row | shard files read |", "|---|---|---|---|---|"]
    for name, part in stream.items():
        if isinstance(part, dict):
            each = f"{part['requests_a_row']:.3f} | {_size(part['bytes_a_row'])} | {part['shard_files_read']}"
            lines.append(f"| {name} | {part['rows']} | {each} |")
    words = (
        "{rows:,} rows; nothing in the page cache; the kernel reads {read_ahead_kb:,} kB around a page that it has "
        "to fetch. [scale.md](scale.md) explains the consequences."
    )
    return "\n".join([words.format(**result), "", *lines])


def attending(result: Mapping[str, Any]) -> str:
    """Images a second by cross-attention, and the work that one image is."""
    options, flops = result["options"], result["flops"]
    width = "at full width" if options["fraction"] == 1 else f"at 1/{options['fraction']} of their width"
    words = (
        "On {where}, {precision}: {images} images of {side} pixels, {steps} steps each, one object; Stable Diffusion "
        "1's networks with random weights, {width}; batches of {batch_size}. **{times_as_fast} times** as fast."
    )
    work = (
        "At 512 pixels and full width, {steps} steps of an image with one object are {one:.1f} TFLOPs one by one and "
        "{batches:.1f} in batches: maps that are computed a second time are {recomputed_share:.2%} of the U-Net's "
        "work; keys and values once for each sentence, and nothing behind the last map, spare {left_out_share:.1%} "
        "of it. With `layers={coarse_layers}` {coarse_left_out_share:.0%} is spared."
    )
    totals = {"one": flops["one_by_one_gflops"] / 1000, "batches": flops["gflops"] / 1000}
    where = result.get("gpu", "one core of a CPU")
    said = words.format(**{**options, **result, "where": where, "width": width})
    return "\n".join([said, "", *_sides(result), "", work.format(**flops, **totals)])


def distilled(result: Mapping[str, Any]) -> str:
    """Images a second by a trained U-Net."""
    where, shape = result.get("gpu", "one core of a CPU"), " x ".join(map(str, result["shape"]))
    words = (
        "On {where}, {precision}: {images} images of usual sizes, random weights, batches of {batch_size}. "
        "An image of 500 x 375 becomes {shape}, which takes {gflop} GFLOP."
    )
    said = words.format(**{**result["options"], **result, "where": where, "shape": shape})
    return "\n".join([said, "", *_sides(result)])


def _sides(result: Mapping[str, Any]) -> list[str]:
    lines = ["| side | ms an image | ms on the core | images a second |", "|---|---|---|---|"]
    return lines + [
        f"| {name} | {times['median_ms']:,.1f} | {times['on_core_median_ms']:,.1f} | {times['items_per_second']} |"
        for name, times in result["sides"].items()
    ]


def flat(result: Mapping[str, Any]) -> str:
    """Any result: a line for each figure, a table for each list of cases."""
    tables = {name: value for name, value in result.items() if _is_cases(value)}
    figures = [(name, value) for name, value in _walk(dict(result)) if not name.startswith(("machine", *tables))]
    parts = [_table(list(value[0]), [list(case.values()) for case in value]) for value in tables.values()]
    return "\n\n".join([*([_table(["figure", "value"], figures)] if figures else []), *parts])


def _is_cases(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(case, dict) for case in value)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('_', ' ') for cell in line)} |" for line in lines)


def _walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, f"{name}, {key}" if name else key)
    else:
        yield name, value


def _machine(name: str, result: Mapping[str, Any]) -> str:
    """The conditions of a result: where it comes from, and what else the machine did."""
    machine = result.get("machine", {})
    packages = machine.get("versions", {}).items()
    versions = ", ".join(f"{package} {version}" for package, version in packages if version)
    day, load = str(machine.get("date", ""))[:10], machine.get("load_average")
    where = f"commit {machine.get('commit')}, {machine.get('cpu')}, {machine.get('cores_visible')} cores"
    where += f", load {load[0]}" if load else ""
    operators = str(machine.get("torchvision_operators") or "")
    without = (
        "; torchvision without its compiled operators, which transforms do not use" if "missing" in operators else ""
    )
    link = f"[{name}](../benchmarks/results/{name})"
    return f"{link}: {day}, {where}, Python {machine.get('python')}, {versions}{without}."


def _size(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} B"


_SECTIONS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "patches": ("Patches", patches),
    "prepare": ("Preparing", preparing),
    "recombination": ("Recombination", recombination),
    "loading": ("Loading", loading),
    "evaluation": ("Evaluation", evaluation),
    "mixing": ("Mixing", mixing),
    "reading": ("Reading", reading),
    "segment_beside": ("Producers, beside their networks", beside),
    "segment_counted": ("Producers, counted", counted),
    "segment_attentive_eraser": ("Producers on a GPU: GroundingDINO, SAM-B, Attentive Eraser", segmenting),
    "segment_lama": ("Producers on a GPU: GroundingDINO, SAM-B, LaMa", segmenting),
}
