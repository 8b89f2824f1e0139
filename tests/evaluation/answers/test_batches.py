import os
import signal
import time
from typing import Any

import pytest

from fornet_hf.errors import SourceError, WorkerDiedError
from fornet_hf.evaluation.answers.batches import in_order, items_of, watched_workers

torch = pytest.importorskip("torch")


def drawn(number: int) -> Any:
    return torch.full((100,), number)


def of_process(number: int) -> Any:
    return torch.tensor(os.getpid())


@pytest.fixture
def no_signal():
    """A function after which torch's own word of a killed worker does not come."""
    before = signal.getsignal(signal.SIGCHLD)
    yield lambda: signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("workers", [1, 2])
def test_items_come_in_order_and_are_counted(workers):
    loader = in_order(drawn, [3, 1, 2], workers)
    assert len(loader) == 3
    assert [int(item[0]) for item in items_of(loader)] == [3, 1, 2]


# torch tells of the killed workers while it cleans up
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_worker_that_is_killed_before_its_tensor_is_opened_is_told(no_signal):
    items = iter(in_order(of_process, range(2000), 2))
    first = int(next(items))
    no_signal()
    time.sleep(0.2)  # the worker's next tensors wait in the queue
    os.kill(first, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="a worker was killed"), watched_workers():
        list(items)


def missing(number: int) -> Any:
    raise FileNotFoundError("no such image")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_items_own_is_not_taken_for_a_killed_worker(workers):
    with pytest.raises(FileNotFoundError, match="no such image"), watched_workers():
        list(in_order(missing, range(4), workers))


def damaged(number: int) -> Any:
    raise SourceError(f"item {number}: damaged")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_ours_comes_in_the_place_of_its_item(workers):
    with pytest.raises(SourceError, match="item 7: damaged"):
        list(items_of(in_order(damaged, [7, 8], workers)))
