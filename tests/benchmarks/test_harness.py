"""The timing harness takes turns, checks every result, and says where a figure comes from."""

from __future__ import annotations

import json
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


def test_times_are_of_one_item_and_exclude_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """By clocks of its own: those of a busy machine tell nothing."""
    names = ("perf_counter", "process_time")
    clocks = dict.fromkeys(names, 0.0)
    for name in names:
        monkeypatch.setattr(f"time.{name}", lambda name=name: clocks[name])

    def spend(seconds: float, on_core: float) -> None:
        clocks["perf_counter"] += seconds
        clocks["process_time"] += on_core

    runs = iter([0.03, 0.02, 0.04])
    case = Case("waits", lambda: spend(next(runs), 0.01), 10, lambda _: spend(0.05, 0.05))
    found = measure([case], repeats=3, warm_up=0)["waits"]
    assert [found[f"{name}_ms"] for name in ("quartile_1", "median", "quartile_3")] == [2.5, 3.0, 3.5]
    assert (found["fastest_ms"], found["on_core_median_ms"], found["repeats"]) == (2.0, 1.0, 3)


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


def test_a_machine_without_git_gets_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    written = json.loads(harness.write("example", {}, tmp_path).read_text())
    assert written["machine"]["commit"] == "unknown"


def test_a_run_that_is_killed_while_it_writes_leaves_the_figures_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = harness.write("example", {"answer": 42}, tmp_path / "new" / "folder")

    def killed(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text.encode()[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        harness.write("example", {"answer": 43}, path.parent)
    assert json.loads(path.read_text())["answer"] == 42


@pytest.mark.parametrize("path", sorted(harness.RESULTS.glob("*.json")), ids=lambda path: path.name)
def test_published_results_name_machine_and_commit(path: Path) -> None:
    machine = json.loads(path.read_text())["machine"]
    assert all(machine[name] for name in ("date", "commit", "cpu", "python"))
