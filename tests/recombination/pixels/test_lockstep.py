"""Tasks that go stage by stage."""

import pytest

from fornet_hf.recombination.pixels.compositing import finished, in_step


def test_all_tasks_do_a_stage_before_any_goes_on():
    log = []

    def task(name, stages):
        for stage in range(stages):
            log.append((stage, name))
            yield
        return name.upper()

    assert in_step([task("a", 2), task("b", 0), task("c", 3)]) == ["A", "B", "C"]
    assert log == [(0, "a"), (0, "c"), (1, "a"), (1, "c"), (2, "c")]


def test_tasks_without_a_stage_and_no_tasks():
    def task():
        return 1
        yield

    assert finished(task()) == 1
    assert in_step([]) == []


def test_an_error_comes_out():
    def task():
        yield
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        finished(task())
