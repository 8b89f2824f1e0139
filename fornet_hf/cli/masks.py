"""Compare the masks of a segmenter with the truth: IoU, Dice, accuracy and mIoU, pooled and per image.

fornet masks masks truth                                    PNG files of the same names
fornet masks run annotations/instances_val2017.json --layout coco
fornet masks run VOC2012 --layout voc
fornet masks run CUB_200_2011 --layout cub --split test

PREDICTED is a folder of PNG masks, or a run or release of this project, whose masks are placed on their rasters.
Masks of another size than the truth's are scaled to it, each pixel to the nearest one's. Images are matched by the
names of their files, without ending; what has no counterpart is counted and listed.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

from fornet_hf.cli.common import positive, show, show_json, tell, tell_some
from fornet_hf.evaluation.masks.agreement import EMPTY, FIGURES, Agreement, compare, per_image
from fornet_hf.evaluation.masks.layouts import LAYOUTS, read_truth
from fornet_hf.evaluation.masks.predicted import read_predicted
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.files import atomic_path
from fornet_hf.sources.image_list import SPLITS

_SHOWN = 5  # keys of each kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("predicted", type=Path, metavar="PREDICTED", help="PNG masks, or a run or release")
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="the folder of the set; of COCO its JSON file")
    parser.add_argument("--layout", choices=LAYOUTS, default="png", help="of the truth (default: %(default)s)")
    level = "level above which grey is the object"
    parser.add_argument("--threshold", type=int, help=f"of png, cub (127) or drc (127): {level}")
    parser.add_argument("--predicted-threshold", type=int, help=f"of PNG masks: {level}")
    parser.add_argument("--category", action="append", default=[], help="of COCO, whose objects count; default: all")
    parser.add_argument("--split", choices=SPLITS, help="of cub, by its images.txt; default: all masks")
    text = "figure of an image where it is 0 / 0, as neither mask has an object: 1, or none (default: %(default)s)"
    parser.add_argument("--empty", choices=EMPTY, default="one", help=text)
    text = "images without a prediction are left out, or have an empty one (default: %(default)s)"
    parser.add_argument("--missing", choices=("skip", "empty"), default="skip", help=text)
    text = "scale masks to a shorter side of so many pixels and count the square in the centre; default: all pixels"
    parser.add_argument("--crop", type=positive, metavar="PIXELS", help=text)
    parser.add_argument("--resamples", type=positive, default=Bootstrap.resamples, help="for intervals (%(default)s)")
    parser.add_argument("--seed", type=int, default=Bootstrap.seed, help="of the resamples (%(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the figures of each image")
    parser.add_argument("--json", action="store_true", help="print JSON, with all names that have no counterpart")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    truth = read_truth(
        arguments.truth,
        arguments.layout,
        threshold=arguments.threshold,
        categories=arguments.category,
        split=arguments.split,
    )
    predicted = read_predicted(arguments.predicted, arguments.predicted_threshold)
    found = compare(predicted, truth, missing=arguments.missing, crop=arguments.crop)
    values = found.values(Bootstrap(arguments.seed, arguments.resamples), empty=arguments.empty)
    if arguments.csv:
        _write_images(arguments.csv, found, arguments.empty)
    if arguments.json:
        show_json(
            {
                "masks": len(found.keys),
                "scaled": found.scaled,
                "empty_truths": found.empty_truths,
                "empty_predictions": found.empty_predictions,
                "object": dict(zip(("predicted", "truth"), found.rules, strict=True)),
                "crop": found.crop,
                "empty": arguments.empty,
                "values": [value.to_json() for value in values],
                "missing": found.missing,
                "extra": found.extra,
                "other_shape": found.other_shape,
            }
        )
        return 0
    _show_table(found, values, arguments.empty)
    return 0


def _show_table(found: Agreement, values: list[Value], empty: str) -> None:
    show(f"{'':16}{'value':>8}{'interval of 95 %':>20}{'error':>9}{'n':>9}")
    for value in values:
        number, low, high, error = (
            "-" if one is None else f"{one:.4f}" for one in (value.value, value.low, value.high, value.error)
        )
        name = f"{value.measure}, {value.part}"
        show(f"{name:26}{number:>8}{f'{low} to {high}':>20}{error:>9}{value.n:>9,}")
    show(f"masks: {len(found.keys):,}, of which {found.scaled:,} were scaled to the truth's size")
    show(f"object: predicted {found.rules[0]}; true {found.rules[1]}")
    if found.crop is not None:
        show(f"counted: the {found.crop} x {found.crop} pixels in the centre, of masks with such a shorter side")
    if 2 * found.empty_truths > len(found.keys):
        tell("note: most truths have no object, so their images decide on the figures; is --layout right?")
    show(f"empty: {found.empty_truths:,} truths, {found.empty_predictions:,} predictions; 0 / 0 {EMPTY[empty]}")
    kinds = {
        "no prediction": found.missing,
        "no truth": found.extra,
        "another shape": found.other_shape,
    }
    for kind, keys in kinds.items():
        if keys:
            tell(f"{kind}: {len(keys):,}")
    tell_some(((kind, key) for kind, keys in kinds.items() for key in keys), _SHOWN, "; --json lists all")


def _write_images(path: Path, found: Agreement, empty: str) -> None:
    figures = {name: per_image(name, found.counts, empty) for name in FIGURES}
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "tp", "fp", "fn", "tn", *figures])
        for number, key in enumerate(found.keys):
            shares = (figures[name][number] for name in figures)
            counts = found.counts[number].astype(int).tolist()
            writer.writerow([key, *counts, *("" if math.isnan(share) else f"{share:.6f}" for share in shares)])
