"""`python -m benchmarks`: all results are of one clean commit, or the run says so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as everything
from benchmarks import harness

ROOT = Path(__file__).parents[2]
PUBLISHED = {name: json.loads((harness.RESULTS / f"{name}.json").read_text()) for name in everything.MEASURED}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    shutil.copy(harness.__file__, tmp_path / "benchmarks" / "harness.py")
    (tmp_path / "benchmarks" / "results" / "patches.json").write_text("{}")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    return tmp_path


def commit_of(repository: Path) -> str:
    code = "from benchmarks import harness; print(harness.commit())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_results_that_change_leave_the_commit_clean_and_code_does_not(repository: Path) -> None:
    clean = commit_of(repository)
    assert len(clean) == 12
    (repository / "benchmarks" / "results" / "patches.json").write_text('{"new": 1}')
    assert commit_of(repository) == clean
    with (repository / "benchmarks" / "harness.py").open("a") as file:
        file.write("# changed\n")
    assert commit_of(repository) == f"{clean}-dirty"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs everything without doing anything; commands, and what each benchmark then names as its commit."""
    commands: list[list[str]] = []

    def do(*words: str, tree: str = "aaaa", written: dict[str, str] | None = None) -> tuple[int, list[list[str]]]:
        for name in everything.MEASURED:
            content = {"machine": {"commit": (written or {}).get(name, "aaaa")}}
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        monkeypatch.setattr(harness, "commit", lambda: tree)
        monkeypatch.setattr(harness, "RESULTS", tmp_path)
        monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
        monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command[1:]))
        return everything.main(), commands

    return do


def test_a_tree_that_is_no_commit_is_not_measured(run: Any) -> None:
    assert run(tree="aaaa-dirty") == (1, [])
    assert run("--quick", tree="aaaa-dirty")[0] == 0


def test_all_is_measured_and_the_pages_are_written_last(run: Any) -> None:
    status, commands = run()
    assert status == 0
    modules = [words[1].removeprefix("benchmarks.") for words in commands if words[0] == "-m"]
    assert modules == list(everything.MEASURED)
    assert commands[-1] == ["docs/make.py"]


def test_a_tree_that_changes_meanwhile_is_told(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    status, commands = run(written={"reading": "bbbb"})
    assert status == 1
    assert ["docs/make.py"] not in commands
    assert "'reading': 'bbbb'" in capsys.readouterr().err


def test_quick_reaches_every_benchmark_and_writes_no_page(run: Any) -> None:
    _, commands = run("--quick")
    measured = [words for words in commands if words[0] == "-m"]
    assert all(words[-1] == "--quick" for words in measured)
    assert ["docs/make.py"] not in commands
    sources = [(ROOT / "benchmarks" / f"{name}.py").read_text() for name in everything.MEASURED]
    assert all('"--quick"' in source for source in sources)


def test_published_results_are_of_one_clean_commit() -> None:
    (commit,) = {result["machine"]["commit"] for result in PUBLISHED.values()}
    assert not commit.endswith("dirty")
