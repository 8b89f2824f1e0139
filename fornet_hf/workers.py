"""How many processes this project may start, and when they end."""

from __future__ import annotations

import os
import threading
import time

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


def end_with_parent(parent: int | None = None) -> None:
    """End this worker as soon as the process that started it is gone.

    The workers of a process that was killed would go on writing, into the very files of the next attempt, and then
    wait for ever for more work.

    Args:
        parent: number of that process. None: this may be a worker of `datasets`; nothing is done in any other.
    """
    if parent is None:
        from multiprocess.process import parent_process

        if parent_process() is None:
            return
        parent = os.getppid()
    threading.Thread(target=_end_after, args=(parent,), name="end_with_parent", daemon=True).start()


def _end_after(parent: int) -> None:
    # Asked again and again: the pipe that would tell of the parent's end is held open by its other children.
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)  # without the usual farewell, which waits for queues that nobody reads any more
