import pytest
import torch

from producers.devices.batches import BatchSize, is_out_of_memory, run_batched


def device_with_room_for(count):
    """A stand-in for a model; notes the batches that it finished."""
    done = []

    def run(batch):
        if len(batch) > count:
            raise torch.OutOfMemoryError(f"{len(batch)} images")
        done.append(batch)
        return [item * 10 for item in batch]

    return run, done


def test_results_have_the_order_of_the_items_whatever_their_groups():
    run, done = device_with_room_for(4)
    found = run_batched([3, 1, 4, 1, 5, 9, 2], run, size=BatchSize(2), key=lambda item: item % 2)
    assert found == [30, 10, 40, 10, 50, 90, 20]
    assert done == [[3, 1], [1, 5], [9], [4, 2]]


def test_a_batch_that_runs_out_of_memory_is_halved_and_later_ones_too():
    run, done = device_with_room_for(2)
    assert run_batched(range(9), run, size=BatchSize(8)) == [item * 10 for item in range(9)]
    assert [len(batch) for batch in done] == [2, 2, 2, 2, 1]


def test_the_smaller_batch_is_remembered():
    run, done = device_with_room_for(2)
    size = BatchSize(8)
    for _ in range(3):
        run_batched(range(4), run, size=size)
    assert size.value == 2
    assert [len(batch) for batch in done] == [2] * 6


def test_one_item_that_is_too_large_raises():
    run, _ = device_with_room_for(0)
    with pytest.raises(torch.OutOfMemoryError):
        run_batched([1, 2], run, size=BatchSize(2))


def test_nothing_gives_nothing():
    assert run_batched([], lambda _: pytest.fail("was called"), size=BatchSize(2)) == []


def test_torchs_error_is_known_by_its_name():
    assert is_out_of_memory(torch.OutOfMemoryError("2 GiB"))
    assert not is_out_of_memory(RuntimeError("2 GiB"))


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "Triton Error [CUDA]: out of memory",
    ],
)
def test_memory_that_others_than_torch_wanted_is_known_by_their_words(words):
    assert is_out_of_memory(RuntimeError(words))
    assert not is_out_of_memory(ValueError(words))
