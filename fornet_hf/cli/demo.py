"""Take a few photographs apart and recombine them, without ImageNet: needs the packages of the extra `demo`.

fornet demo --out demo
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from fornet_hf.errors import NotFoundError, explain

PACKAGE = Path(__file__).parents[1]
# A wheel holds the scripts of build/ inside of the package; in a checkout they lie beside it.
PLACES = (PACKAGE / "build", PACKAGE.parent / "build")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="%(default)s")


def run(arguments: argparse.Namespace) -> int:
    """Run the script `demo.py` in this process; return the exit status.

    Raises:
        NotFoundError: the scripts are not there.
    """
    scripts = next((place for place in PLACES if (place / "demo.py").is_file()), None)
    if scripts is None:
        then = "Get the source, which has the producers and the photographs, and run there: make demo"
        missing = " or ".join(str(place / "demo.py") for place in PLACES)
        raise NotFoundError(
            explain("the demo is not part of the installed package", found=f"no {missing}", then=then)
        )
    sys.path.insert(0, str(scripts))
    status: int = importlib.import_module("demo").main(["--out", str(arguments.out)])
    return status
