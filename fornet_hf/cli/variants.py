"""Make the eight variants of ImageNet-9 of any ForNet, in the official layout: test sets and training sets.

fornet variants --data TNauen/ForNet -in imagenet --output in9      224 px, of the validation split
fornet variants --data fornet --output in9 --split train            256 px
fornet variants --data fornet --output in9 --boxes bbox --masks grabcut      with all rules of the paper
fornet variants --data birds --output birds9 --taxonomy groups.json          {"sea": ["gull", 3], "land": ["hen"]}

Run it again after whatever ended it: what is there is not made again. MAX_WORKERS processes are used. Images and
backgrounds are drawn with --seed; variants.json in the folder says what was made of what, and what was left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fornet_hf.cli.common import add_imagenet, add_split, positive, show, show_json, tell
from fornet_hf.evaluation.data.names import OFFICIAL, VARIANTS
from fornet_hf.evaluation.variants.configuration import VariantsConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("--data", required=True, metavar="PLACE", help="patches, or what fornet apply --datasets saved")
    add_imagenet(parser, "the images of patches")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the variants go")
    add_split(parser, "validation")
    add("--variants", type=_names, default=OFFICIAL, metavar="A,B", help=f"of {', '.join(VARIANTS)}; default: 8")
    add("--taxonomy", metavar="FILE", help="groups of classes as JSON, or in9, or own; default: in9 for ImageNet")
    add("--boxes", type=Path, metavar="FOLDER", help="ImageNet's annotations; default: the tight boxes of the masks")
    add("--masks", choices=("fornet", "grabcut"), default="fornet", help="%(default)s")
    add("--per-class", type=positive, metavar="N", help="images of each class at most; default: of the smallest")
    add("--other-class", action="store_true", help="mixed_rand never has a background of the own class")
    add("--size", type=positive, metavar="PIXELS", help="side of the images; default: 224, for training 256")
    add("--quality", type=positive, default=75, metavar="N", help="of the JPEG files (%(default)s, as the authors')")
    add("--seed", type=int, default=0, metavar="N", help="%(default)s")
    add("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from fornet_hf.errors import ConfigurationError, explain
    from fornet_hf.evaluation.data.opening import RowsData, open_data
    from fornet_hf.evaluation.variants.making import make_variants

    names = ["seed", "variants", "per_class", "taxonomy", "boxes", "masks", "other_class", "size", "quality"]
    config = VariantsConfig(**{name: getattr(arguments, name) for name in names})
    data = open_data(arguments.data, arguments.split, imagenet_dir=arguments.imagenet_dir)
    if not isinstance(data, RowsData):
        then = "Name patches, or what fornet apply --datasets saved."
        raise ConfigurationError(explain("variants are made of rows of a ForNet", found=data.name, then=then))
    made = make_variants(data, arguments.output, config)
    plan, rules = made.plan, config.rules()
    if arguments.json:
        counts = {"images": made.images, "made": made.new, "classes": len(plan.groups), "per_class": plan.per_class}
        show_json({**counts, "excluded": dict(plan.excluded), **rules})
        return 0
    for reason, count in plan.excluded.items():
        tell(f"left out: {count:,} x {reason}")
    tell(f"not applied: {', '.join(rules['not_applied'])}")
    there = f"{len(plan.groups)} classes x {plan.per_class:,} images x {len(config.variants)} variants"
    show(f"{there}: {made.new:,} made, {made.images - made.new:,} already there, in {arguments.output}")
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
