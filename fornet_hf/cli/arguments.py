"""Arguments that several commands have."""

from __future__ import annotations

import argparse


def add_place(parser: argparse.ArgumentParser) -> None:
    """Where the release is."""
    parser.add_argument("place", metavar="REPO_OR_FOLDER", help="a folder, or a dataset on the Hub: TNauen/ForNet")
    parser.add_argument("--revision", help="branch, tag or commit of the repository; default: main")
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_imagenet(parser: argparse.ArgumentParser, what: str) -> None:
    """The folder of ImageNet: one name in all commands, with that of the public tools; `what` is said of it."""
    names = ("-in", "--imagenet-dir", "--imagenet")
    parser.add_argument(*names, dest="imagenet_dir", metavar="DIR", help=what)


def add_split(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """The split, by either of the names that validation has."""
    text = "default: all that are there" if default is None else "%(default)s"
    parser.add_argument("--split", type=_split, default=default, metavar="{train,val,validation}", help=text)


def _split(text: str) -> str:
    names = {"train": "train", "val": "validation", "validation": "validation"}
    if text not in names:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(names)}")
    return names[text]


def positive(text: str) -> int:
    """A number from 1 on, for argparse."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)
