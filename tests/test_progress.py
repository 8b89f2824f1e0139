"""Progress that processes tell one another."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from fornet_hf.progress import counted, followed


class Bar:
    """Remembers where it was."""

    def __init__(self, n: int = 0) -> None:
        self.n, self.seen = n, [n]

    def update(self, n: float = 1) -> None:
        self.n += n
        self.seen.append(self.n)


def test_ticks_of_several_processes_add_up():
    with counted() as ticks:
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            list(pool.map(ticks.tick, [1, 0, 5, 10]))
        assert ticks.count() == 16
    assert not ticks.path.parent.exists()


def test_a_bar_follows_while_the_work_goes_on():
    bar = Bar(3)
    with counted() as ticks, followed(ticks, bar, every=0.01):
        ticks.tick(2)
        end = time.monotonic() + 10
        while bar.n < 5 and time.monotonic() < end:
            time.sleep(0.01)
        assert bar.n == 5
        ticks.tick(4)
    assert bar.n == 9
