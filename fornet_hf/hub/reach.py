"""Whether the Hub answers at all, found out soon: its client would try for half a minute."""

from __future__ import annotations

import logging
import threading
import time

from huggingface_hub import constants
from huggingface_hub.utils import get_session  # type: ignore[attr-defined]  # documented, but not listed there

_LOG = logging.getLogger(__name__)
_PATIENCE = 4.0  # seconds; a Hub that needs longer gets them by HF_HUB_ETAG_TIMEOUT, the client's own setting
_FIRST_WORD = 1.0  # seconds until the user is told what takes so long
_VALID = 15.0  # seconds for which an answer, or none, is taken to stand
_FOUND: dict[str, tuple[float, str | None]] = {}  # by endpoint: when it was asked, and why it was silent


def silence() -> str | None:
    """Return why the Hub gives no answer; None if it gives one, whatever it says, or is not to be asked."""
    if constants.HF_HUB_OFFLINE:
        return None  # the client says so itself
    endpoint = constants.ENDPOINT
    when, why = _FOUND.get(endpoint, (-_VALID, None))
    if time.monotonic() - when > _VALID:
        why = _ask(endpoint)
        _FOUND[endpoint] = (time.monotonic(), why)
    return why


def _ask(endpoint: str) -> str | None:
    patience = max(_PATIENCE, 0 if constants.HF_HUB_ETAG_TIMEOUT == 10 else constants.HF_HUB_ETAG_TIMEOUT)
    result: list[str | None] = []

    def ask() -> None:
        try:
            get_session().head(endpoint, timeout=2 * patience)  # it has to end; until when is the caller's choice
            result.append(None)
        except Exception as error:  # noqa: BLE001 - of whatever client there is
            result.append(f"{type(error).__name__}: {error}".splitlines()[0])

    # In a thread, as looking up the name may take longer than any limit of the client.
    thread = threading.Thread(target=ask, name="is the Hub there", daemon=True)
    thread.start()
    thread.join(_FIRST_WORD)
    if thread.is_alive():
        _LOG.warning("Trying to reach %s, for %g s at most ...", endpoint, patience)
        thread.join(patience - _FIRST_WORD)
    return result[0] if result else f"no answer from {endpoint} in {patience:g} s"
