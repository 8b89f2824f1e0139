"""Commands end with a status; errors that people can put right are one line on stderr."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fornet_hf.endings import ended
from fornet_hf.errors import ForNetError
from tests.blocks import ROOT


def raising(error: BaseException):
    def work() -> int:
        raise error

    return work


def test_the_status_is_that_of_the_work():
    assert ended(lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ForNetError("no such split, hf_secret"), 1, "error: no such split, (hidden)\n"),
        (KeyboardInterrupt(), 130, "interrupted; go on\n"),
        (OSError(28, "No space left on device"), 1, "error: No space left on device\n"),
        (OSError(5, "Input/output error", "a b.zip"), 1, "error: Input/output error: a b.zip\n"),
    ],
)
def test_errors_are_a_line(error, status, said, capsys):
    hide = {"no such split, hf_secret": "no such split, (hidden)"}.get
    assert ended(raising(error), interrupted="interrupted; go on", hide=hide) == status
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("error", [ForNetError("no such split"), KeyboardInterrupt(), OSError(28, "No space left")])
def test_a_quiet_process_leaves_the_line_to_another_one(error, capsys):
    assert ended(raising(error), quiet=True) in (1, 130)
    assert capsys.readouterr() == ("", "")


def test_errors_that_a_command_knows_are_a_line(capsys):
    assert ended(raising(ValueError("seen before")), known=(ForNetError, ValueError)) == 1
    assert capsys.readouterr().err == "error: seen before\n"


@pytest.mark.parametrize("error", [ValueError("x"), OSError("not of the system")])
def test_faults_of_ours_are_raised(error):
    with pytest.raises(type(error), match=str(error)):
        ended(raising(error))


PRINTING = "[print(n) for n in range(10**6)] and 0"
FAILING = "(_ for _ in ()).throw(BrokenPipeError(32, 'Broken pipe'))"


def command(work: str) -> list[str]:
    return [sys.executable, "-c", f"from fornet_hf.endings import ended; raise SystemExit(ended(lambda: {work}))"]


@pytest.mark.skipif(sys.platform == "win32", reason="has other pipes")
def test_a_reader_that_has_seen_enough_is_no_error():
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command(PRINTING), cwd=ROOT, text=True, **pipes) as process:
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_pipes_of_others_may_break_too(tmp_path):
    with (tmp_path / "out").open("w") as out:
        done = subprocess.run(command(FAILING), cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: Broken pipe\n")
