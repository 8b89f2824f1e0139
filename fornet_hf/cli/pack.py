"""Zip the folders of ForNet without compression: few large files are kinder to network file systems.

fornet pack fornet

Writes foregrounds_train.zip, backgrounds_train.zip and those of val beside the folders, which stay.
fornet_hf.ForNetDataset and the public tools read zips where there are both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fornet_hf.cli.common import add_split, show, show_json
from fornet_hf.layout.pack import pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder with train/ and val/")
    add_split(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    made = pack(arguments.path, None if arguments.split is None else [arguments.split])
    if arguments.json:
        show_json({str(path): count for path, count in made.items()})
    else:
        for path, count in made.items():
            show(f"{path}: {count:,} images")
    return 0
