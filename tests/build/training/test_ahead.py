"""Work that threads do ahead."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from producers.training.ahead import ahead


def test_results_come_in_the_order_of_their_jobs_and_no_more_is_begun_than_asked_for():
    begun = []

    def jobs():
        for number in range(20):
            begun.append(number)
            yield partial(int, number)

    results = ahead(jobs(), workers=3, most=4)
    assert next(results) == 0
    assert len(begun) == 4
    assert [*results] == [*range(1, 20)]


def test_an_error_comes_in_its_turn():
    def fail():
        raise ValueError("the second")

    results = ahead([partial(int, 1), fail, partial(int, 3)], workers=2, most=3)
    assert next(results) == 1
    with pytest.raises(ValueError, match="the second"):
        next(results)


def test_jobs_that_nobody_waits_for_are_not_begun(monkeypatch):
    begun, free, done = threading.Event(), threading.Event(), []

    class Frees(ThreadPoolExecutor):
        """Lets the job that is at work end once the others are, or are not, cancelled."""

        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            free.set()
            super().shutdown(wait)

    def work(number):
        if number:
            begun.set()
            free.wait(10)
        done.append(number)
        return number

    monkeypatch.setattr("producers.training.ahead.ThreadPoolExecutor", Frees)
    results = ahead((partial(work, number) for number in range(50)), workers=1, most=10)
    next(results)
    assert begun.wait(10)
    results.close()
    assert done == [0, 1]
