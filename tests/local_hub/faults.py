"""Failures on demand, for the tests that ask what happens when the network or the Hub misbehaves."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["refuse", "cut", "lost", "drop", "status", "slow", "flip", "corrupt", "html", "half"]


@dataclass
class Fault:
    """A failure, the requests that it strikes, and how often.

    `refuse` closes the connection unread and unanswered. `cut` closes it after `after` bytes of the request's
    body, of which nothing is done. `lost` does what was asked and closes without an answer. `drop` announces
    the whole answer and closes after `after` bytes of its body. `status` answers `status` (with `Retry-After`
    where `retry_after` is given, seconds) and does nothing. `slow` waits `seconds` before doing what was
    asked. `flip` inverts the lowest bit of byte `after` of the answer's body, `corrupt` that of the request's before
    it is looked at. `html` does what was asked and answers with a web page, as some proxies do; `half` with the
    first half of the answer, as if it were whole.

    A request matches if its method is `method` (any, if empty) and the regular expression `path` is found in
    its decoded path with query. The first `skip` matches pass untouched; the next `times` (None: all) fail.
    """

    kind: Kind
    path: str = ""
    method: str = "GET"
    times: int | None = 1
    skip: int = 0
    after: int = 0
    status: int = 503
    retry_after: float | None = None
    seconds: float = 0.0
    hits: int = 0
    _seen: int = 0

    def matches(self, method: str, path: str) -> bool:
        """Return whether this request is one of those which the fault is about."""
        return self.method in ("", method) and re.search(self.path, path) is not None

    def strikes(self) -> bool:
        """Count one matching request; True if it is to fail."""
        self._seen += 1
        if self._seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


@dataclass
class Faults:
    """The faults that tests have injected; the first which strikes a request decides its fate."""

    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, fault: Fault) -> Fault:
        """From now on let matching requests fail; the fault, which counts its `hits`."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """End the failures."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, if any."""
        with self._lock:
            return next((f for f in self._faults if f.matches(method, path) and f.strikes()), None)
