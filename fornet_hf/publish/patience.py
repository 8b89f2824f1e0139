"""Trying again what fails only for now: rate limits, a busy Hub, a connection that breaks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from huggingface_hub.errors import OfflineModeIsEnabled

from fornet_hf.errors import ForNetError
from fornet_hf.publish.failures import connection_errors, status_of

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST = 900.0  # seconds; the Hub's limits count over five minutes, some by the hour
_RESET = re.compile(r"r=0\s*;\s*t=(\d+)")

Result = TypeVar("Result")


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, (ForNetError, OfflineModeIsEnabled)):
        return False  # waited for already, or of no use to wait for
    status = status_of(error)
    return status in TRANSIENT if status is not None else isinstance(error, connection_errors())


@dataclass(frozen=True)
class Patience:
    """How often and how long to wait.

    Attributes:
        attempts: how often a call is made at most.
        first: seconds before the second attempt; doubled before each further one.
        say: gets a line whenever there is waiting to do.
        sleep: waits for a number of seconds.
    """

    attempts: int = 7
    first: float = 1.0
    say: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, what: str, call: Callable[[], Result]) -> Result:
        """The result of the call.

        Raises:
            Exception: what the call raised, at once if it is not transient, else at the last attempt, or when
                the Hub asks for more than 15 minutes of waiting.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                return call()
            except Exception as error:
                wait = max(self.first * 2 ** (attempt - 1), _asked_for(error))
                if not is_transient(error) or attempt == self.attempts or wait > _LONGEST:
                    raise
                reason = status_of(error) or type(error).__name__
                self.say(f"{what}: {reason}; attempt {attempt + 1} of {self.attempts} in {wait:.0f} s")
            self.sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover


def _asked_for(error: BaseException) -> float:
    """The seconds which the answer asks to wait: `Retry-After`, or the Hub's `RateLimit: "api";r=0;t=55`."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    after, limit = headers.get("Retry-After", ""), _RESET.search(headers.get("RateLimit", ""))
    seconds = float(after) if after.isascii() and after.isdigit() else 0.0
    return max(seconds, float(limit[1]) + 1 if limit else 0.0)
