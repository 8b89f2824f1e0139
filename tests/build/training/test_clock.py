"""Seconds and speed."""

import pytest

from producers.training.clock import Clock


def test_seconds_go_on_and_speed_is_that_since_the_last_look(monkeypatch):
    now = [50.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock = Clock(1000.0, 10)
    now[0] = 54.0
    assert (clock.seconds, clock.since_saved) == (1004.0, 4.0)
    assert clock.speed(30) == pytest.approx(5)
    clock.note_save()
    now[0] = 56.0
    assert clock.speed(34) == pytest.approx(2)
    assert (clock.seconds, clock.since_saved) == (1006.0, 2.0)
