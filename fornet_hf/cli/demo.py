"""Take a few photographs apart and recombine them, without ImageNet: needs a checkout of the source.

fornet demo --out demo
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from fornet_hf.errors import NotFoundError, explain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="%(default)s")


def run(arguments: argparse.Namespace) -> int:
    """The command: the script of the checkout that this package runs from."""
    script = Path(__file__).parents[2] / "build" / "demo.py"
    if not script.is_file():
        then = "Get the source, which has the producers and the photographs, and run there: make demo"
        raise NotFoundError(explain("the demo is not part of the installed package", found=f"no {script}", then=then))
    return subprocess.run([sys.executable, str(script), "--out", str(arguments.out)], check=False).returncode  # noqa: S603
