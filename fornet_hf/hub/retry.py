"""Waiting for the Hub: until it answers at all, and after what fails only for now."""

from __future__ import annotations

import functools
import logging
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from huggingface_hub import constants
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]  # documented, but not listed there

from fornet_hf.errors import ForNetError, UnreachableError, explain
from fornet_hf.hub.errors import first_line, hub_error, is_transient, reason_of, status_of

_LOG = logging.getLogger(__name__)
_LONGEST = 900.0  # seconds; the Hub's limits count over five minutes, some by the hour
_RESET = re.compile(r"r=0\s*;\s*t=(\d+)")

Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """The number of attempts that are made, and the waits between them.

    Attributes:
        attempts: how often a call is made at most.
        first: seconds before the second attempt; doubled before each further one.
        within: seconds after which no further attempt begins.
        passes: tells of an error whether the same call may succeed later.
        say: gets a line whenever there is waiting to do.
    """

    attempts: int = 7
    first: float = 1.0
    within: float = math.inf
    passes: Callable[[BaseException], bool] = is_transient
    say: Callable[[str], None] = lambda _: None

    def __call__(self, what: str, call: Callable[[], Result]) -> Result:
        """Return the result of the call.

        Raises:
            Exception: what the call raised, at once if it does not pass, else at the last attempt, or when
                the Hub asks for more than 15 minutes of waiting.
        """
        end, attempt = time.monotonic() + self.within, 1
        while True:
            try:
                return call()
            except Exception as error:
                wait = max(self.first * 2 ** (attempt - 1), _asked_for(error))
                too_long = wait > _LONGEST or time.monotonic() + wait > end
                if not self.passes(error) or attempt == self.attempts or too_long:
                    raise
                reason = status_of(error) or type(reason_of(error)).__name__
                attempt += 1
                self.say(f"{what}: {reason}; attempt {attempt} of {self.attempts} in {wait:.0f} s")
            time.sleep(wait)

    def ask(self, what: str, tried: str, call: Callable[[], Result]) -> Result:
        """Return the result of a request to the Hub, as a call does.

        Args:
            what: is done, for `say`.
            tried: the same for an error's message, as in `hub_error`.
            call: sends the request.

        Raises:
            ForNetError: in place of what the client raises.
        """
        try:
            return self(what, call)
        except ForNetError:
            raise
        except Exception as error:
            raise hub_error(tried, error) from error


def _asked_for(error: BaseException) -> float:
    """Return the seconds which the answer asks to wait: `Retry-After`, or the Hub's `RateLimit: "api";r=0;t=55`."""
    headers = getattr(getattr(reason_of(error), "response", None), "headers", None) or {}
    limit = _RESET.search(headers.get("RateLimit", ""))
    return max(_seconds(headers.get("Retry-After", "")), float(limit[1]) + 1 if limit else 0.0)


def _seconds(after: str) -> float:
    """Return the seconds of a `Retry-After`, which is a number or the date to wait for; 0 for anything else."""
    if after.isascii() and after.isdigit():
        return float(after)
    try:
        return (parsedate_to_datetime(after) - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a time zone
        return 0.0


@dataclass
class Reach:
    """A look whether the Hub answers at all, which ends soon: its client would try for half a minute.

    Attributes:
        endpoint: address of the Hub.
        valid: seconds for which an answer, or none, is taken to stand.
    """

    endpoint: str
    valid: float = 15.0
    _asked: float = -math.inf
    _silence: str | None = None

    def silence(self) -> str | None:
        """Return why the Hub gives no answer; None if it gives one, whatever it says."""
        if time.monotonic() - self._asked > self.valid:
            self._silence = self._ask()
            self._asked = time.monotonic()
        return self._silence

    def _ask(self) -> str | None:
        # A Hub that needs longer gets it by HF_HUB_ETAG_TIMEOUT, the client's own setting.
        patience = max(4.0, 0 if constants.HF_HUB_ETAG_TIMEOUT == 10 else constants.HF_HUB_ETAG_TIMEOUT)
        result: list[str | None] = []

        def ask() -> None:
            try:
                get_session().head(self.endpoint, timeout=2 * patience)  # only to end it: the thread is left before
                result.append(None)
            except Exception as error:  # noqa: BLE001 - of whatever client there is
                result.append(first_line(error))

        # In a thread, as looking up the name may take longer than any limit of the client.
        thread = threading.Thread(target=ask, name="is the Hub there", daemon=True)
        thread.start()
        thread.join(1)
        if thread.is_alive():
            _LOG.warning("Trying to reach %s, for %g s at most ...", self.endpoint, patience)
            thread.join(patience - 1)
        return result[0] if result else f"no answer from {self.endpoint} in {patience:g} s"


@functools.cache
def reach(endpoint: str) -> Reach:
    """Return what this process knows of a Hub, so that hundreds of downloads ask once in a while."""
    return Reach(endpoint)


def silence() -> str | None:
    """Return why the Hub gives no answer; None if it gives one, or is not to be asked: the client says so itself."""
    return None if constants.HF_HUB_OFFLINE else reach(constants.ENDPOINT).silence()


def require_answer(what: str) -> None:
    """Raise an UnreachableError about `what` if the Hub gives no answer."""
    if why := silence():
        then = "Check the network; what is in the cache needs none."
        raise UnreachableError(explain(f"{what} is only on the Hub, which cannot be reached", found=why, then=then))
