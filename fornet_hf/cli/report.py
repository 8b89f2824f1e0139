"""Put results of several evaluations on one page: models on the same data stand side by side.

fornet report results more-results -o comparison     from the folders of fornet evaluate; writes report.html
"""

from __future__ import annotations

import argparse
from functools import reduce
from pathlib import Path

from fornet_hf.cli.common import tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folders", nargs="+", type=Path, metavar="FOLDER", help="what fornet evaluate wrote")
    add("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where the page goes")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    from fornet_hf.evaluation.report.folder import write_report
    from fornet_hf.evaluation.report.kept import read_examples
    from fornet_hf.evaluation.results.results import Results

    results = reduce(Results.joined, map(Results.read, arguments.folders))
    tell(f"Look at {write_report(results, read_examples(*arguments.folders), arguments.output)}")
    return 0
