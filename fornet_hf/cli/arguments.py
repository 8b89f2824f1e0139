"""Arguments that several commands have."""

from __future__ import annotations

import argparse


def add_place(parser: argparse.ArgumentParser) -> None:
    """Where the release is."""
    parser.add_argument("place", metavar="REPO_OR_FOLDER", help="a folder, or a dataset on the Hub: TNauen/ForNet")
    parser.add_argument("--revision", help="branch, tag or commit of the repository; default: main")
    parser.add_argument("--json", action="store_true", help="print JSON")


def positive(text: str) -> int:
    """A number from 1 on, for argparse."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)
