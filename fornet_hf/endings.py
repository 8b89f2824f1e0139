"""The end of a command: an exit status, and errors that people can put right as a line on stderr, no traceback."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable

from fornet_hf.errors import ForNetError


def ended(
    work: Callable[[], int],
    *,
    known: tuple[type[Exception], ...] = (ForNetError,),
    interrupted: str = "interrupted",
    hide: Callable[[str], str] = str,
    quiet: bool = False,
) -> int:
    """Do a command's work; return the exit status: the work's own, 1 after an error, 130 if it was interrupted.

    Args:
        work: does it, and returns the exit status.
        known: errors whose message says enough.
        interrupted: what is said then.
        hide: takes out of a message what nobody may see, such as a token.
        quiet: say nothing, in a process of several of which another one speaks.

    Raises:
        Exception: any other, which is a fault of ours.
    """
    tell = (lambda _: None) if quiet else _tell
    try:
        return work()
    except known as error:
        tell(f"error: {hide(str(error))}")
    except KeyboardInterrupt:
        tell(interrupted)
        return 130
    except OSError as error:
        if error.errno is None:
            raise  # not what the system says, so a fault of ours
        if isinstance(error, BrokenPipeError) and stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
            # The reader of our output, such as `head`, has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        else:
            place = "" if error.filename is None else f": {error.filename}"
            tell(f"error: {error.strerror}{place}")
    return 1


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
