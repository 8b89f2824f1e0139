"""Draw what recombination and mixing do: a contact sheet, or an animation with one frame for each epoch.

fornet preview fornet -o sheet.png                           folders, zips, or a folder saved by datasets
fornet preview --patches run/patches -in pictures     a few patches, applied for this
fornet preview fornet -o frames.gif --epochs 12 --fg-in-nonant 4 --fg-scale-jitter 0.1,0.8
fornet preview fornet -o mixed.png --mix fmix --mix-labels visible --mix-options max_soft=0.2
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fornet_hf.cli.common import add_imagenet, add_split, positive, show
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.choosing import NAMES, chosen
from fornet_hf.mixing.methods import AREA, LABELS
from fornet_hf.recombination.draw.configuration import RecombinationConfig

_ANIMATIONS, _SHEETS = (".gif", ".webp"), (".png", ".jpg", ".jpeg")
_POOL = 48  # images at least whose backgrounds are drawn from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; the recombination's parameters are those of its configuration."""
    add = parser.add_argument
    add("path", nargs="?", type=Path, metavar="PATH", help="what fornet apply made, or datasets saved")
    add("--patches", metavar="FOLDER_OR_REPO", help="instead of PATH")
    add_imagenet(parser, "the images of the patches")
    add("-o", "--output", type=Path, default=Path("preview.png"), help=".png, .jpg, .gif or .webp; %(default)s")
    add_split(parser, "train")
    add("--count", type=positive, default=6, metavar="N", help="images to show (%(default)s)")
    add(
        "--epochs",
        type=positive,
        metavar="N",
        help="columns of a sheet (4), its turns with --mix (1); frames (8)",
    )
    group = parser.add_argument_group("mixing")
    group.add_argument("--mix", choices=NAMES, help="show pairs of images and their mixtures; docs/mixing.md")
    group.add_argument("--mix-labels", choices=LABELS, default=AREA, help="of mixtures: by area, or by visible area")
    group.add_argument("--mix-options", nargs="+", metavar="NAME=VALUE", default=[], help="such as max_soft=0.2")
    group = parser.add_argument_group("recombination")
    for field in dataclasses.fields(RecombinationConfig):
        option, text = f"--{field.name.replace('_', '-')}", f"{_help(field.name)}. Default: {field.default}"
        group.add_argument(option, type=_value, metavar="VALUE", help=text.replace("%", "%%"))


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    ending = arguments.output.suffix.lower()
    if ending not in (*_ANIMATIONS, *_SHEETS):
        allowed = ", ".join((*_SHEETS, *_ANIMATIONS))
        raise ConfigurationError(explain("no image to write", found=arguments.output.name, allowed=allowed))
    from fornet_hf.layout.samples import spread
    from fornet_hf.preview import save_animation

    moving = ending in _ANIMATIONS
    draw = _drawing(arguments, moving=moving)
    parameters = {
        field.name: getattr(arguments, field.name)
        for field in dataclasses.fields(RecombinationConfig)
        if getattr(arguments, field.name) is not None
    }
    sample = _sample(arguments)
    shown = spread(range(len(sample)), arguments.count)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw(sample, indices=shown, **parameters)
    if moving:
        save_animation(drawn, arguments.output)
    else:
        drawn.save(arguments.output)
    show(str(arguments.output))
    return 0


def _drawing(arguments: argparse.Namespace, *, moving: bool) -> Callable[..., Any]:
    """Return the function that draws what was asked for, of a dataset."""
    if arguments.mix is not None:
        from fornet_hf.mixing.preview import mixed_animation, mixed_sheet

        configs = chosen(arguments.mix, arguments.mix_labels, dict(map(_pair, arguments.mix_options)))
        epochs = arguments.epochs or (8 if moving else 1)
        return partial(mixed_animation if moving else mixed_sheet, configs=configs, epochs=epochs)
    if arguments.mix_options or arguments.mix_labels != AREA:
        raise ConfigurationError(explain("--mix-labels and --mix-options need --mix", allowed=", ".join(NAMES)))
    from fornet_hf.preview import animation, contact_sheet

    if moving:
        return partial(animation, epochs=arguments.epochs or 8)
    return partial(contact_sheet, epochs=arguments.epochs or 4, parts=None)


def _sample(arguments: argparse.Namespace) -> Any:
    from fornet_hf.layout.samples import sample_of_folder, sample_of_patches

    if (arguments.path is None) == (arguments.patches is None):
        raise ConfigurationError("nothing to show; allowed: either PATH or --patches")
    pool = max(_POOL, arguments.count)
    if arguments.path is not None:
        return sample_of_folder(arguments.path, arguments.split, pool)
    return sample_of_patches(arguments.patches, arguments.imagenet_dir, None, arguments.split, pool)


def _pair(text: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigurationError(explain("mix_options is not allowed", found=text, allowed="NAME=VALUE"))
    return name, _value(value)


def _value(text: str) -> Any:
    """Return a number, pair, True, False or None where it is written like one; else text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _help(name: str) -> str:
    """Return what the configuration's docstring says of a parameter."""
    found = re.search(
        rf"^ +{name}: (.*?)(?=^ +\w+: |^ *$)", RecombinationConfig.__doc__ or "", re.DOTALL | re.MULTILINE
    )
    return " ".join(found[1].split()).rstrip(".") if found else ""
