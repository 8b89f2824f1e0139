"""Trying again what fails only for now: rate limits, a busy Hub, a connection that breaks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from fornet_hf.hub.failures import is_transient, reason_of, status_of

_LONGEST = 900.0  # seconds; the Hub's limits count over five minutes, some by the hour
_RESET = re.compile(r"r=0\s*;\s*t=(\d+)")

Result = TypeVar("Result")


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
                reason = status_of(error) or type(reason_of(error)).__name__
                self.say(f"{what}: {reason}; attempt {attempt + 1} of {self.attempts} in {wait:.0f} s")
            self.sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover


def _asked_for(error: BaseException) -> float:
    """The seconds which the answer asks to wait: `Retry-After`, or the Hub's `RateLimit: "api";r=0;t=55`."""
    headers = getattr(getattr(reason_of(error), "response", None), "headers", None) or {}
    limit = _RESET.search(headers.get("RateLimit", ""))
    return max(_seconds(headers.get("Retry-After", "")), float(limit[1]) + 1 if limit else 0.0)


def _seconds(after: str) -> float:
    """The seconds of a `Retry-After`, which is a number or the date to wait for; 0 for anything else."""
    if after.isascii() and after.isdigit():
        return float(after)
    try:
        return (parsedate_to_datetime(after) - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a time zone
        return 0.0
