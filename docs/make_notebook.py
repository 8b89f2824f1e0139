#!/usr/bin/env python
"""The outputs that examples/fornet.ipynb stores: `python docs/make_notebook.py` runs the notebook and writes them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "fornet.ipynb"


def main() -> None:
    """Run the notebook in a folder of its own, and store its outputs."""
    with tempfile.TemporaryDirectory() as folder:
        nbformat.write(executed(Path(folder)), NOTEBOOK)


def executed(folder: Path) -> nbformat.NotebookNode:
    """Return the notebook with the outputs of a run in this folder; raise CellExecutionError if a cell fails."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,  # a notebook that runs to the same outputs stays the same file
        coalesce_streams=True,
    )
    client.execute()
    notebook.metadata.language_info = {"name": "python"}  # and not the version of Python
    return notebook


if __name__ == "__main__":
    main()
