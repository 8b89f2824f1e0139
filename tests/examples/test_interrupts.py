import os
import signal
import time

import pytest

from training import interrupts
from training.interrupts import interruptible


def press():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def handler():
    before = signal.getsignal(signal.SIGINT)
    yield before
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_the_step_and_its_echo_changes_nothing():
    steps = []

    def train(stop):
        for step in range(5):
            stop.check()
            press()
            press()
            steps.append(step)

    with pytest.raises(KeyboardInterrupt), interruptible() as stop:
        train(stop)
    assert steps == [0]


def test_a_second_one_ends_a_step_that_hangs(monkeypatch):
    monkeypatch.setattr(interrupts, "PATIENCE", 0.0)

    def step():
        press()
        time.sleep(0.01)
        press()
        pytest.fail("still in the step")

    with pytest.raises(KeyboardInterrupt), interruptible():
        step()


def test_a_loading_process_leaves_it_to_the_one_that_it_works_for(monkeypatch):
    with interruptible() as stop, monkeypatch.context() as fork:
        fork.setattr(os, "getpid", lambda: -1)
        stop.notice(signal.SIGINT, None)
    assert not stop.wanted


def test_what_breaks_because_the_others_stopped_is_an_interrupt():
    def step():
        press()
        raise RuntimeError("connection closed by peer")

    with pytest.raises(KeyboardInterrupt), interruptible():
        step()


def test_an_error_stays_one_and_the_handler_is_put_back(handler):
    with pytest.raises(RuntimeError, match="out of memory"), interruptible():
        raise RuntimeError("out of memory")
    assert signal.getsignal(signal.SIGINT) is handler
