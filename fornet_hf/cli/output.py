"""Where commands print: data to stdout, messages to stderr."""

from __future__ import annotations

import json
import sys
from typing import Any


def show(line: str) -> None:
    """A line of data."""
    sys.stdout.write(line + "\n")


def show_json(value: Any) -> None:
    """Data as JSON."""
    show(json.dumps(value, indent=1))


def tell(line: str) -> None:
    """A message."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
