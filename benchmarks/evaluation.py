"""Speed of an evaluation's images: `python -m benchmarks.evaluation`. README.md says what is measured, and how."""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks import harness
from benchmarks.harness import Case, measure, progress
from benchmarks.photos import photos, prepared_rows
from benchmarks.recombination import repeated, store
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.sensitivity import AMOUNTS, WHERE
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import Condition, Noise
from fornet_hf.evaluation.stimuli.protocol import Shown
from fornet_hf.evaluation.stimuli.rows import Rows
from fornet_hf.recombination import RecombinationConfig

COPIES = 4
FACTORS = EvaluationConfig().sizes
SHOWN_AS = {
    "25 conditions": {"seen": True, "noise": True},
    "17 without noise": {"seen": True, "noise": False},
    "25 in the public order": {"seen": False, "noise": True},
}
PREPROCESSINGS = {
    "bicubic, 224 of 256": Preprocessing(),
    "bilinear, 224 of 256": Preprocessing(interpolation="bilinear"),
    "bicubic, 224 of 248": Preprocessing(crop=0.9),
}


def conditions(*, seen: bool, noise: bool) -> dict[str, Condition]:
    """Those of accuracy, background robustness, centre bias and size bias: 17; of sensitivity 8 more."""

    def of(*, whole: bool, **parameters: Any) -> Condition:
        return Condition(recombination=RecombinationConfig(**parameters), seen=seen and whole, whole=whole)

    backgrounds = {kind: of(whole=False, background_combination=kind) for kind in ("orig", "same", "all")}
    cells = {f"cell {cell}": of(whole=True, fg_in_nonant=cell) for cell in range(9)}
    sizes = {f"size {factor:g}": of(whole=True, fg_size_fact=factor) for factor in FACTORS}
    noises = [Noise(where=where, amount=amount) for amount in AMOUNTS for where in WHERE if noise]
    noisy = {f"noise {one.where} {one.amount:g}": Condition(noise=one) for one in noises}
    return {"original": Condition(), **backgrounds, **cells, **sizes, **noisy}


def plain(sources: list[bytes], preprocessing: Preprocessing) -> list[npt.NDArray[np.uint8]]:
    """One evaluation of the source images, up to the bytes that a model would get."""
    return [preprocessing.prepared(Image.open(io.BytesIO(source)).convert("RGB")) for source in sources]


def compared(rows: Rows, items: Sequence[int], preprocessing: Preprocessing, repeats: int) -> dict[str, Any]:
    """Time a plain evaluation of photos and all conditions of the same; each image of a condition counts."""
    shown_photos = photos(outlines=True)
    sources = [shown_photos[item % len(shown_photos)].source for item in items]
    wanted = [rows.shown(item, preprocessing) for item in items]
    views = sum(len(shown.views) for shown in wanted)

    def check_plain(images: list[npt.NDArray[np.uint8]]) -> None:
        assert all(image.shape == (3, 224, 224) and image.std() > 5 for image in images)

    def check_views(found: list[Shown]) -> None:
        for shown, expected in zip(found, wanted, strict=True):
            assert shown.missing == expected.missing
            for view, other in zip(shown.views, expected.views, strict=True):
                assert view.condition == other.condition
                assert np.array_equal(view.image, other.image)

    cases = [
        Case("plain evaluation", lambda: plain(sources, preprocessing), len(sources), check_plain),
        Case("a condition", lambda: [rows.shown(item, preprocessing) for item in items], views, check_views),
    ]
    times = measure(cases, repeats=repeats)
    return {
        "conditions": len(rows.conditions),
        "images_shown_per_photo": round(views / len(sources), 3),
        "left_out": reasons(wanted),
        "milliseconds_per_image": times,
        "condition_of_plain": share(times),
    }


def by_object(rows: Rows, preprocessing: Preprocessing, repeats: int) -> dict[str, Any]:
    """Compare both for each photo alone: the larger its object, the more pixels change between conditions."""
    shown_photos, found = photos(outlines=True), {}
    for number, photo in enumerate(shown_photos):
        items = range(number, len(shown_photos) * COPIES, len(shown_photos))
        times = compared(rows, items, preprocessing, repeats)
        area = round(float(photo.mask.mean()), 3)
        found[photo.name] = {"object_area": area, "condition_of_plain": times["condition_of_plain"]}
    return found


def check_agreement(rows: Rows, preprocessing: Preprocessing) -> None:
    """Raise if an image in the public order is not its canvas, composed at full size and then prepared."""
    for item in range(8):
        for view in rows.shown(item, preprocessing).views:
            name = rows.conditions[view.condition]
            if name in ("original", "orig", "same", "all"):
                canvas = rows.image(item, name, preprocessing)
                assert not isinstance(canvas, str)
                assert np.array_equal(view.image, preprocessing.prepared(canvas.image))


def folder_rows(folder: Path) -> Any:
    """Return the photos as memory-mapped rows: each its own class, four times."""
    return store(repeated(prepared_rows(outlines=True), COPIES), folder)


def reasons(found: list[Shown]) -> dict[str, int]:
    """Count the images that cannot be shown, by reason."""
    counts: dict[str, int] = {}
    for shown in found:
        for reason in shown.missing.values():
            counts[reason] = counts.get(reason, 0) + 1
    return counts


def share(times: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the time of an image in a condition / that of a plain evaluation."""
    one, other = times["a condition"], times["plain evaluation"]
    return {unit: round(one[unit] / other[unit], 3) for unit in ("median_ms", "on_core_median_ms", "fastest_ms")}


def main() -> None:
    """Run all parts and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repeats; writes no results")
    quick = parser.parse_args().quick
    repeats = 3 if quick else 7
    harness.pin_to_one_core()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        stored = folder_rows(Path(folder))
        for (name, preprocessing), (label, shown_as) in itertools.product(PREPROCESSINGS.items(), SHOWN_AS.items()):
            progress(f"{name}; {label}")
            rows = Rows(stored, conditions(**shown_as))
            check_agreement(rows, preprocessing)
            found = compared(rows, range(len(stored)), preprocessing, repeats)
            results[f"{name}; {label}"] = found
            progress(str(found["condition_of_plain"]))
        rows = Rows(stored, conditions(seen=True, noise=True))
        results["by_object"] = by_object(rows, Preprocessing(), repeats)
    progress(str(results) if quick else str(harness.write("evaluation", results)))


if __name__ == "__main__":
    main()
