"""Measure how much infilled backgrounds still know of their objects; no model is needed.

fornet leakage run/patches -in imagenet -o leakage                 all images of the training split
fornet leakage TNauen/ForNet -in imagenet --split val -o leakage --most 5000
fornet leakage run/patches -in imagenet -o leakage --estimators closed-form,mine,infonce

FOLDER gets leakage.csv (key, class, score and its parts, the worst first), leakage.json (the numbers with their
intervals) and leakage.png (the worst images). A score is no bound: 0 is as much as another image's background
knows, 1 is a standard deviation of that. The estimators mine and infonce are learned, and need torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fornet_hf.cli.common import add_imagenet, add_place, add_split, positive, show, show_json, tell, words

_CLASSES = 5  # that are shown
_DEFAULT = ["closed-form"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_place(parser)
    add_imagenet(parser, "the images; default: the repository that the patches name")
    add_split(parser, "train")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the files go")
    parser.add_argument("--most", type=positive, metavar="N", help="draw about N images; default: all")
    text = "some of closed-form, mine, infonce, traces; all but the first need torch (closed-form)"
    parser.add_argument("--estimators", type=words, default=_DEFAULT, metavar="A,B", help=text)
    parser.add_argument("--seed", type=int, default=0, help="of all draws (%(default)s)")
    parser.add_argument("--resamples", type=positive, default=1000, help="for intervals (%(default)s)")
    parser.add_argument("--device", help="of estimators that are learned; default: a GPU if there is one")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from fornet_hf.evaluation.leakage.measuring import measured
    from fornet_hf.evaluation.leakage.portions import portions_of_patches
    from fornet_hf.evaluation.leakage.values import check_estimators, values
    from fornet_hf.evaluation.leakage.written import (
        NUMBERS,
        SHEET,
        TABLE,
        numbers,
        worst_sheet,
        write_numbers,
        write_table,
    )
    from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
    from fornet_hf.hub.location import locate
    from fornet_hf.release.images import find_images
    from fornet_hf.release.release import open_release

    bootstrap = Bootstrap(arguments.seed, arguments.resamples)
    check_estimators(arguments.estimators)
    arguments.output.mkdir(parents=True, exist_ok=True)
    place = f"{arguments.place}@{arguments.revision}" if arguments.revision else arguments.place
    release = open_release(locate(place))
    images = find_images(release, arguments.imagenet_dir)
    portions = portions_of_patches(release, arguments.split, images, most=arguments.most, seed=arguments.seed)
    leakage = measured(portions, seed=arguments.seed)
    found = values(leakage, release.class_names, bootstrap, arguments.estimators, arguments.device)
    settings = {
        "patches": place,
        "release": release.fingerprint(arguments.split),
        "split": arguments.split,
        **{name: getattr(arguments, name) for name in ("most", "seed", "resamples", "estimators")},
    }
    document = numbers(leakage, found, settings)
    write_table(arguments.output / TABLE, leakage, release.class_names)
    write_numbers(arguments.output / NUMBERS, document)
    worst_sheet(leakage, release.class_names).save(arguments.output / SHEET)
    if arguments.json:
        show_json(document)
    else:
        _show(document)
    tell(f"Look at {arguments.output / SHEET}")
    return 0


def _show(document: dict[str, object]) -> None:
    """Print the numbers; of the classes those with the highest scores."""
    found: list[dict[str, object]] = document["values"]  # type: ignore[assignment]
    classes = sorted((one for one in found if _is_class(one)), key=lambda one: -float(str(one["value"])))
    show(f"{'':32}{'value':>9}{'interval of 95 %':>22}{'n':>9}")
    for one in [*(one for one in found if not _is_class(one)), *classes[:_CLASSES]]:
        value, low, high = (_number(one[name]) for name in ("value", "low", "high"))
        name = ", ".join(filter(None, [str(one["measure"]), str(one["part"]).partition(",")[0]]))
        show(f"{name[:32]:32}{value:>9}{f'{low} to {high}':>22}{one['n']:>9,}")
    if len(classes) > _CLASSES:
        show(f"and {len(classes) - _CLASSES:,} classes with lower scores, in leakage.json")
    for reason, count in dict(document["left_out"]).items():  # type: ignore[call-overload]
        tell(f"left out: {count:,}, {reason}")


def _is_class(value: dict[str, object]) -> bool:
    return str(value["part"]).startswith("class ")


def _number(value: object) -> str:
    return "-" if value is None else f"{float(str(value)):.4f}"
