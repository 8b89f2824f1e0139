"""Who gets which task after failures; slots are numbers here and nothing is done."""

import pytest

from fornet_hf.errors import WorkerDiedError
from producers.work.roster import RETIRES_AFTER, Roster
from tests.build.work.attempts import tasks

BAD = RuntimeError("CUDA error")


def roster(count, slots, attempts=3, processes=1):
    return Roster(tasks(count), attempts, range(slots), processes)


def test_a_failed_task_goes_to_the_end_and_to_another_slot():
    one = roster(3, 2)
    first = one.take(0)
    assert one.failed(0, first, BAD) is None
    assert [one.take(0).task.index for _ in range(2)] == [1, 2]
    assert one.take(0) is None
    assert one.take(1) is first


def test_a_task_with_which_all_slots_failed_is_tried_again():
    one = roster(1, 2)
    for slot in (0, 1, 0):
        entry = one.take(slot)
        final = one.failed(slot, entry, BAD)
    assert isinstance(final, WorkerDiedError)
    assert "train-00000-of-00001: failed 3 times, at last: CUDA error" in str(final)
    assert one.stopped
    assert one.over


def test_a_slot_that_fails_time_and_again_retires_and_its_failures_are_not_the_tasks():
    one = roster(RETIRES_AFTER + 1, 2, attempts=1 + 1)
    failed = [one.take(0) for _ in range(RETIRES_AFTER)]
    assert [one.failed(0, entry, BAD) for entry in failed] == [None] * RETIRES_AFTER
    assert one.retired == {0}
    assert one.take(0) is None
    one.failed(1, failed[0], BAD)
    assert one.take(1).task.index == RETIRES_AFTER  # and it did not fail with its second failure


@pytest.mark.parametrize("slots", [1, 2])
def test_what_fails_all_processes_of_a_slot_at_once_is_one_failure_of_each(slots):
    one = roster(12, slots, processes=3)
    for _ in range(RETIRES_AFTER - 1):
        failed = [one.take(0) for _ in range(3)]
        assert [one.failed(0, entry, BAD) for entry in failed] == [None] * 3
    assert one.retired == set()
    one.failed(0, one.take(0), BAD)
    one.failed(0, one.take(0), BAD)
    final = one.failed(0, one.take(0), BAD)
    assert one.stopped == (final is not None) == (slots == 1)
    assert one.retired == ({0} if slots == 2 else set())


def test_a_success_in_between_keeps_a_slot():
    one = roster(9, 2, attempts=9)
    for _ in range(4):
        one.failed(0, one.take(0), BAD)
        one.take(0)
        one.succeeded(0)
    assert one.retired == set()


def test_the_last_slot_never_retires():
    one = roster(1, 1, attempts=9)
    for _ in range(8):
        assert one.failed(0, one.take(0), BAD) is None
    assert one.retired == set()


def test_a_fault_of_all_tasks_ends_the_run_soon():
    one = roster(300, 8)
    attempts, final = 0, None
    while final is None:
        for slot in sorted(one.present):
            if final is None and (entry := one.take(slot)) is not None:
                final, attempts = one.failed(slot, entry, BAD), attempts + 1
    assert "3 attempts in a row failed, at last: CUDA error" in str(final)
    assert attempts <= 8 * RETIRES_AFTER


@pytest.mark.parametrize("final", [True, False])
def test_nothing_comes_back_once_the_run_is_to_end(final):
    one = roster(3, 2)
    running = [one.take(0), one.take(1)]
    if final:
        one.ended()
    else:
        one.stop()
        one.succeeded(0)
    assert one.running == 1
    assert one.failed(1, running[1], BAD) is None
    assert one.over
    assert one.take(0) is None
