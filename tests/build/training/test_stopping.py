"""An end that is asked for."""

import os
import signal

import pytest

from producers.training.stopping import Stopping


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_for_an_end(number):
    before = signal.getsignal(number)
    with Stopping() as stopping:
        assert not stopping.due
        send(number)
        assert stopping.due
        assert stopping.interrupted
    assert signal.getsignal(number) is before


def test_the_second_signal_does_not_wait():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # shells' background commands ignore it
    try:
        with Stopping():
            send(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                send(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_end_of_its_time_is_no_interruption(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stopping = Stopping(minutes=2)
    now[0] = 219.0
    assert not stopping.due
    now[0] = 220.0
    assert stopping.due
    assert not stopping.interrupted
