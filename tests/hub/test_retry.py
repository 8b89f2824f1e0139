"""Trying again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from unittest import mock

import pytest
from huggingface_hub.errors import HfHubHTTPError

from fornet_hf.errors import NotFoundError, UnreachableError
from fornet_hf.hub.retry import Patience


class Answer(HfHubHTTPError):  # noqa: N818 - the name says what it stands for
    def __init__(self, status, **headers):
        Exception.__init__(self, str(status))
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = SimpleNamespace(status_code=status, headers=names)


def outcome(*events, attempts=4, **options):
    """Return the result of a call that raises or returns these one after the other, the waits and the words."""
    waits, said, queue = [], [], list(events)

    def call():
        event = queue.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    patience = Patience(attempts=attempts, say=said.append, **options)
    with mock.patch("time.sleep", waits.append):
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


@pytest.mark.parametrize("error", [Answer(404), Answer(412), UnreachableError("x"), NotFoundError("x")])
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


def test_the_hub_may_name_a_date():
    waits = outcome(Answer(503, Retry_After=format_datetime(datetime.now(timezone.utc) + timedelta(seconds=60))), 1)[
        1
    ]
    assert 55 < waits[0] <= 60


def test_what_ended_an_upload_is_looked_for_among_the_causes():
    upload = RuntimeError("Error while uploading")
    upload.__cause__ = Answer(429, Retry_After="9")
    result, waits, said = outcome(upload, "done")
    assert (result, waits, said) == ("done", [9], ["ask: 429; attempt 2 of 4 in 9 s"])


@pytest.mark.parametrize("error", [json.JSONDecodeError("", "", 0), KeyError("sha"), UnboundLocalError("operation")])
def test_an_answer_that_cannot_be_read_is_asked_for_again(error):
    assert outcome(error, "done")[:2] == ("done", [1])


def test_nobody_waits_for_hours():
    error = Answer(429, Retry_After="3600")
    assert outcome(error, "done")[:2] == (error, [])


def test_nobody_begins_again_after_the_time_given():
    last = Answer(503)
    assert outcome(Answer(503), last, "done", within=1.9)[:2] == (last, [1])


def test_others_may_say_what_passes():
    assert outcome(KeyError(), "done", passes=lambda error: False)[1] == []
    assert outcome(NotFoundError("x"), "done", passes=lambda error: True)[:2] == ("done", [1])
