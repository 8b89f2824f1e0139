"""Arguments that commands have in common, and their output: data on stdout, messages on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add the place of a release."""
    parser.add_argument("place", metavar="REPO_OR_FOLDER", help="a folder, or a dataset on the Hub: TNauen/ForNet")
    parser.add_argument("--revision", help="branch, tag or commit of the repository; default: main")
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_imagenet(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the folder of ImageNet: one name in all commands, beside the public tools'; `what` is its help."""
    names = ("-in", "--imagenet-dir", "--imagenet")
    parser.add_argument(*names, dest="imagenet_dir", metavar="DIR", help=what)


def add_split(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the split, by either of the names that validation has."""
    text = "default: all that are there" if default is None else "%(default)s"
    parser.add_argument("--split", type=_split, default=default, metavar="{train,val,validation}", help=text)


def _split(text: str) -> str:
    names = {"train": "train", "val": "validation", "validation": "validation"}
    if text not in names:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(names)}")
    return names[text]


def positive(text: str) -> int:
    """Return a number from 1 on, for argparse."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def words(text: str) -> list[str]:
    """Return what stands between commas, for argparse."""
    return [stripped for word in text.split(",") if (stripped := word.strip())]


def show(line: str) -> None:
    """Print a line of data."""
    sys.stdout.write(line + "\n")


def show_json(value: Any) -> None:
    """Print data as JSON."""
    show(json.dumps(value, indent=1))


def tell(line: str) -> None:
    """Print a message."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def tell_some(messages: Iterable[tuple[str, str]], shown: int, where: str = "") -> None:
    """Print some messages of each kind, and how many more there are.

    Args:
        messages: kind and text of each.
        shown: how many of each kind.
        where: the others are.
    """
    kind = itemgetter(0)
    for name, group in groupby(sorted(messages, key=kind), kind):
        texts = [text for _, text in group]
        for text in texts[:shown]:
            tell(f"{name}: {text}")
        if len(texts) > shown:
            tell(f"{name}: {len(texts) - shown:,} more{where}")
