"""The sections of the producers on the page of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def segmenting(result: Mapping[str, Any]) -> str:
    """Return the time of an image in each stage of the producers on one GPU, and what the run was."""
    options = result["options"]
    lines = ["| stage | ms an image |", "|---|---|"]
    lines += [f"| {stage} | {ms:.1f} |" for stage, ms in result["ms_per_picture"].items() if stage != "all"]
    words = (
        "**{pictures_per_gpu_hour:,} images an hour** on one {gpu}: random weights of the real sizes, {pictures} "
        "synthetic images after a warm-up, 1.5 versions an image, {precision}, batches of {detector_batch} "
        "(detector), {segmenter_batch} (segmenter) and {infiller_batch} (infiller), {workers} processes beside; at "
        "most {gpu_memory_gib} GiB; the GPU was busy {gpu_busy_mean_percent:.0f}% of the time."
    )
    return "\n".join([words.format(**{**options, **result}), "", *lines])


def taking_apart(result: Mapping[str, Any]) -> str:
    """Return the rates of all of the producers on one device, then the times of each model alone."""
    options = result["options"]
    words = (
        "Random weights of the real sizes, {precision}, photographs at sizes like ImageNet's, 1.5 versions an image, "
        "{window:,} images on their way in each process. All processes load and warm up before the clock starts."
    )
    chains = [
        "| infiller | processes | images an hour | ms an image | GPU busy | memory |",
        "|---|---|---|---|---|---|",
    ]
    chains += [
        f"| {one['infiller']} | {one['processes']} | {one['images_an_hour']:,} | {one['ms_an_image']:.1f} "
        f"| {_or_dash(one, 'gpu_busy_mean_percent', '{:.0f}%')} | {_or_dash(one, 'gpu_memory_gib', '{:.1f} GiB')} |"
        for one in result["chains"]
    ]
    alone = ["| model alone | ms an image | quartiles | agrees with the plain way |", "|---|---|---|---|"]
    alone += [
        f"| {_name(one)} | {one['median_ms']:.1f} | {one['quartile_1_ms']:.1f} to {one['quartile_3_ms']:.1f} "
        f"| {_agreement(one)} |"
        for one in result["alone"]
    ]
    left = [f"There was no time for: {'; '.join(result['left_out'])}."] if result["left_out"] else []
    if failed := result.get("failed"):
        left.append(f"Failed: {'; '.join(f'{name} ({error})' for name, error in failed.items())}.")
    return "\n\n".join([words.format(**options), "\n".join(chains), "\n".join(alone), *left])


def _or_dash(one: Mapping[str, Any], name: str, form: str) -> str:
    return form.format(one[name]) if name in one else "-"


def _name(one: Mapping[str, Any]) -> str:
    return f"{one['case']}, {one['steps']} steps" if "steps" in one else str(one["case"])


def _agreement(one: Mapping[str, Any]) -> str:
    forms = {
        "equal_boxes": "{:.1%} of boxes",
        "least_iou": "IoU {} or more",
        "mean_difference": "{} of 255 on average",
    }
    return next((form.format(one[name]) for name, form in forms.items() if name in one), "-")


def counted(result: Mapping[str, Any]) -> str:
    """Return the operations of the networks, and how full batches are."""
    operations = ["| network, for an image of 500 x 375 | TFLOP |", "|---|---|"]
    operations += [f"| {one['network']} | {one['tflop']:.2f} |" for one in result["operations"]]
    names = [name for name in result["fills"][0] if name not in ("batches", "window")]
    fills = [f"| batches | window | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    fills += [
        f"| {one['batches']} | {one['window']:,} | {' | '.join(str(one[name]) for name in names)} |"
        for one in result["fills"]
    ]
    words = (
        "Operations, two for a product and its sum, and how many items an average batch has, for {images:,} images "
        "at sizes like ImageNet's. *Across windows* is how `segment.py` fills batches; the window is its bound on "
        "images on their way."
    )
    return "\n\n".join([words.format(**result), "\n".join(operations), "\n".join(fills), _WAITING])


def beside(result: Mapping[str, Any]) -> str:
    """Return what an image costs on a core beside the networks."""
    lines = ["| work | ms an image on the core |", "|---|---|"]
    lines += [f"| {name} | {times['on_core_median_ms']:.2f} |" for name, times in result["sides"].items()]
    words = (
        "On one core of a CPU, {images} photographs of 500 x 375 with three prompts, three masks and one version "
        "each. Decoding and patches are work of the processes beside; the rest is done by that which drives the GPU."
    )
    return "\n\n".join([words.format(**result), "\n".join(lines)])


_WAITING = (
    "**No GPU has run this code yet.** The sections on an H100 are of the code before: one process, windows of 128, "
    "no kernel of our own, both halves of Attentive Eraser's batch one by one. `python -m benchmarks.segment` "
    "measures all of it anew."
)
