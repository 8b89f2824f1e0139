"""The timing harness takes turns, checks every result, and says where a figure comes from."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from benchmarks import harness
from benchmarks.harness import Case, measure


def test_sides_take_turns_and_every_result_is_checked() -> None:
    calls: list[str] = []

    def case(name: str) -> Case:
        return Case(name, lambda: calls.append(name), 1, lambda _: calls.append(f"checked {name}"))

    measure([case("a"), case("b")], repeats=2, warm_up=1)
    assert calls[0::2] == ["a", "b", "a", "b", "b", "a"]
    assert calls[1::2] == [f"checked {name}" for name in calls[0::2]]


def test_times_are_of_one_item_and_exclude_the_check() -> None:
    case = Case("sleep", lambda: time.sleep(0.02), 10, lambda _: time.sleep(0.05))
    found = measure([case], repeats=3, warm_up=0)["sleep"]
    assert 2.0 <= found["median_ms"] < 5.0
    assert found["quartile_1_ms"] <= found["median_ms"] <= found["quartile_3_ms"]
    assert found["on_core_median_ms"] < 1.0  # sleeping takes no time on the core
    assert found["repeats"] == 3


def test_a_wrong_result_stops_the_benchmark() -> None:
    def refuse(_: object) -> None:
        raise AssertionError("wrong")

    with pytest.raises(AssertionError, match="wrong"):
        measure([Case("bad", lambda: None, 1, refuse)], repeats=1)


def test_results_say_where_they_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "results")
    written = json.loads(harness.write("example", {"answer": 42}).read_text())
    assert written["answer"] == 42
    assert {"date", "commit", "cpu", "python", "versions", "libjpeg_turbo"} <= set(written["machine"])
    assert written["machine"]["versions"]["pillow"]


@pytest.mark.parametrize("path", sorted(harness.RESULTS.glob("*.json")), ids=lambda path: path.name)
def test_published_results_name_machine_and_commit(path: Path) -> None:
    machine = json.loads(path.read_text())["machine"]
    assert all(machine[name] for name in ("date", "commit", "cpu", "python"))
