"""Batches one ahead: the order in which things are done, ends of all kinds, epochs; on a GPU, races."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import Recombine, collate, set_epoch, to_tensor

torch = pytest.importorskip("torch")

from fornet_hf.recombination.device.ahead import DeviceLoader, ahead, in_turn  # noqa: E402
from fornet_hf.recombination.device.compositor import Compositor  # noqa: E402

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
ORDERS = pytest.mark.parametrize("order", [ahead, in_turn])


class Watched:
    """Items that note what is asked for and what is done, and whether the iteration was closed."""

    def __init__(self, count: int, failing: int | None = None) -> None:
        self.count, self.failing = count, failing
        self.asked, self.worked, self.closed = 0, 0, False

    def __iter__(self) -> Any:
        try:
            for number in range(self.count):
                self.asked += 1
                if number == self.failing:
                    raise OSError(f"item {number}")
                yield number
        finally:
            self.closed = True

    def work(self, number: int) -> str:
        self.worked += 1
        return f"made of {number}"


def until(condition: Any) -> bool:
    """Wait for something that happens in another thread."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return bool(condition())


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@ORDERS
def test_all_items_come_in_order(order: Any, count: int) -> None:
    watched = Watched(count)
    assert list(order(watched.work, watched)) == [f"made of {number}" for number in range(count)]
    assert watched.closed


def test_the_next_one_is_made_while_one_is_used_and_none_beyond() -> None:
    watched = Watched(9)
    results = ahead(watched.work, watched)
    for number in range(4):
        assert next(results) == f"made of {number}"
        assert until(lambda: watched.worked == number + 2)  # noqa: B023  # called at once
        time.sleep(0.02)
        assert (watched.asked, watched.worked) == (number + 2, number + 2)
    results.close()
    assert watched.closed


@ORDERS
def test_closing_early_ends_the_iteration_and_the_thread(order: Any) -> None:
    watched = Watched(9)
    for _ in order(watched.work, watched):
        break
    assert until(lambda: watched.closed)
    assert "fornet-ahead" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("failing", [0, 3])
@ORDERS
def test_an_error_comes_in_its_turn(order: Any, failing: int) -> None:
    watched, found = Watched(9, failing), []
    with pytest.raises(OSError, match=f"item {failing}"):
        found.extend(order(watched.work, watched))
    assert found == [f"made of {number}" for number in range(failing)]
    assert watched.closed


@ORDERS
def test_an_error_of_the_work_comes_too(order: Any) -> None:
    def work(number: int) -> int:
        return 1 // (2 - number)

    results = order(work, range(9))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_the_first_item_is_asked_for_in_the_callers_thread() -> None:
    """There samplers draw from torch's generator, which the training step uses as well."""
    threads = []

    def items() -> Any:
        for number in range(3):
            threads.append(threading.current_thread())
            yield number

    assert list(ahead(str, items())) == ["0", "1", "2"]
    assert threads[0] is threading.current_thread()


@pytest.fixture
def recombined(ds: Any) -> Any:
    ds.set_transform(Recombine(ds, crop=32, seed=1, defer="pixels", keep=("key",)))
    return ds


def loader_of(ds: Any, **options: Any) -> Any:
    return torch.utils.data.DataLoader(ds, **{"batch_size": 3, "collate_fn": collate, "num_workers": 1, **options})


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_those_of_the_compositor(recombined: Any, workers: int) -> None:
    loader = loader_of(recombined, num_workers=workers)
    found = list(DeviceLoader(loader, Compositor(), "cpu"))
    set_epoch(recombined, 0)
    wanted = [Compositor()(batch) for batch in loader]
    assert len(DeviceLoader(loader, Compositor(), "cpu")) == len(found) == 3
    for (images, labels), (wanted_images, wanted_labels) in zip(found, wanted, strict=True):
        assert torch.equal(images, wanted_images)
        assert torch.equal(labels, wanted_labels)


@pytest.mark.parametrize("workers", [0, 1])
def test_examples_that_were_not_deferred_are_refused(ds: Any, workers: int) -> None:
    ds.set_transform(Recombine(ds, crop=32, transform=to_tensor))
    loader = loader_of(ds, num_workers=workers)
    with pytest.raises(ConfigurationError, match=r"not to be composed; found dict; .* Give Recombine defer="):
        next(iter(DeviceLoader(loader, Compositor(), "cpu")))
    with pytest.raises(ConfigurationError, match="not to be composed"):
        Compositor()(next(iter(loader)))


def test_masks_come_along_on_request(ds: Any) -> None:
    ds.set_transform(Recombine(ds, crop=32, seed=1, defer="pixels", return_fg_masks=True))
    first = next(iter(DeviceLoader(loader_of(ds), Compositor(), "cpu", composed=True)))
    assert first.masks.shape == (3, 1, 32, 32)
    assert first.labels.tolist() == [0, 1, 2]


def test_an_epoch_reaches_samplers_and_recombination(recombined: Any) -> None:
    sampler = torch.utils.data.distributed.DistributedSampler(recombined, num_replicas=2, rank=1, seed=3)
    loader = DeviceLoader(loader_of(recombined, sampler=sampler, persistent_workers=True), Compositor(), "cpu")
    images = []
    for epoch in (0, 1, 0):
        loader.set_epoch(epoch)
        assert (sampler.epoch, recombined.epoch) == (epoch, epoch)
        images.append(torch.cat([images for images, _ in loader]))
        assert len(images[-1]) == 4
    assert torch.equal(images[0], images[2])
    assert not torch.equal(images[0], images[1])
    set_epoch(loader, 5)
    assert recombined.epoch == 5


def test_workers_end_with_an_iteration_that_is_broken_off(recombined: Any) -> None:
    loader = loader_of(recombined)
    for _ in DeviceLoader(loader, Compositor(), "cpu"):
        break
    assert until(lambda: not torch.multiprocessing.active_children())


class Broken(torch.utils.data.Dataset):  # type: ignore[misc]
    """Its second batch cannot be made."""

    def __init__(self, ds: Any) -> None:
        self.ds = ds

    def __len__(self) -> int:
        return len(self.ds)

    def __getitem__(self, index: int) -> Any:
        if index == 4:
            raise KeyError("row 4")
        return self.ds.__getitems__([index])[0]


def test_an_error_of_a_worker_comes_with_its_batch(recombined: Any) -> None:
    results = iter(DeviceLoader(loader_of(Broken(recombined)), Compositor(), "cpu"))
    assert next(results)[0].shape == (3, 3, 32, 32)
    with pytest.raises(KeyError, match="row 4"):
        next(results)


@needs_gpu
@pytest.mark.gpu
@pytest.mark.parametrize("slow", ["step", "composing"])
def test_neither_stream_overtakes_the_other(recombined: Any, slow: str) -> None:
    """Long kernels on either stream, and memory that is wanted again at once."""
    recombined.set_transform(Recombine(recombined, crop=224, defer="pixels"))
    batches = [collate(recombined.__getitems__(list(range(8)))).pin_memory() for _ in range(6)]
    wanted = [Compositor()(batch.to("cuda")) for batch in batches]

    class Slow(Compositor):
        def composed(self, batch: Any) -> Any:
            if slow == "composing":
                torch.cuda._sleep(50_000_000)
            return super().composed(batch)

    sums = []
    for images, labels in DeviceLoader(itertools.chain(batches), Slow(), "cuda"):
        if slow == "step":
            torch.cuda._sleep(50_000_000)
        sums.append((images.double().sum((1, 2, 3)), labels.clone()))
        del images, labels
    for (sum_, labels), (images, wanted_labels) in zip(sums, wanted, strict=True):
        assert torch.equal(sum_, images.double().sum((1, 2, 3)))
        assert torch.equal(labels, wanted_labels)
