"""How many processes this project may start."""

from __future__ import annotations

import os

from fornet_hf.errors import ConfigurationError, explain

VARIABLE = "MAX_WORKERS"


def max_workers() -> int:
    """The number in the environment variable MAX_WORKERS, else the CPUs that this process may run on.

    Raises:
        ConfigurationError: MAX_WORKERS is anything but a positive integer.
    """
    value = os.environ.get(VARIABLE)
    if value is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
        then = f"Set it like `export {VARIABLE}=8`, or unset it to use all CPUs."
        raise ConfigurationError(
            explain(f"{VARIABLE} is not a number of workers", found=repr(value), allowed="1, 2, 3, ...", then=then)
        )
    return int(value)
