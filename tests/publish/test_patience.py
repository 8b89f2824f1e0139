"""Trying again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fornet_hf.errors import NotFoundError, UnreachableError
from fornet_hf.publish.patience import Patience


class Answer(Exception):  # noqa: N818 - stands for the client's error
    def __init__(self, status, **headers):
        super().__init__(str(status))
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = SimpleNamespace(status_code=status, headers=names)


def outcome(*events, attempts=4):
    """What came of a call that raises or returns these one after the other, and the waits."""
    waits, said, queue = [], [], list(events)

    def call():
        event = queue.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    patience = Patience(attempts=attempts, sleep=waits.append, say=said.append)
    try:
        return patience("ask", call), waits, said
    except Exception as error:  # noqa: BLE001
        return error, waits, said


def test_waits_double():
    result, waits, said = outcome(Answer(503), Answer(500), ConnectionError(), "done")
    assert (result, waits) == ("done", [1, 2, 4])
    assert said[0] == "ask: 503; attempt 2 of 4 in 1 s"


def test_the_last_error_is_raised():
    last = Answer(503)
    assert outcome(Answer(503), Answer(503), Answer(503), last)[:2] == (last, [1, 2, 4])


@pytest.mark.parametrize("error", [Answer(404), Answer(412), ValueError(), UnreachableError("x"), NotFoundError("x")])
def test_what_will_not_pass_is_raised_at_once(error):
    assert outcome(error, "done")[:2] == (error, [])


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(429, Retry_After="7"), 7),
        (Answer(429, RateLimit='"api";r=0;t=55'), 56),
        (Answer(429, RateLimit='"api";r=3;t=55'), 1),
        (Answer(429, Retry_After="soon"), 1),
    ],
)
def test_the_hub_is_given_the_time_that_it_asks_for(answer, seconds):
    assert outcome(answer, "done")[:2] == ("done", [seconds])


def test_nobody_waits_for_hours():
    error = Answer(429, Retry_After="3600")
    assert outcome(error, "done")[:2] == (error, [])
