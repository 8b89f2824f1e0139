"""The command `fornet`."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import pytest

import fornet_hf
from fornet_hf.cli import info as information
from fornet_hf.cli import main
from tests.local_hub.fixtures import hub, hub_home
from tests.publish.conftest import release

__all__ = ["hub", "hub_home", "release"]


def test_a_sound_release_gives_status_0(release, capsys):
    assert main(["verify", str(release.patches), "--imagenet-dir", str(release.imagenet)]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        f"{release.patches}: 4 shards, 12 rows, 12 keys",
        "every row read, 12 patches applied: sound",
    ]
    assert err == ""


def test_problems_give_status_1_and_go_to_stderr(release, capsys):
    release.shard(0).unlink()
    assert main(["verify", str(release.patches), "--json"]) == 1
    out, err = capsys.readouterr()
    verdict = json.loads(out)
    assert verdict["sound"] is False
    assert len(verdict["problems"]) == 1
    assert err == f"problem: {verdict['problems'][0]}\n"


def test_info_prints_lines_or_json(release, capsys):
    assert main(["info", str(release.patches)]) == 0
    assert "train            3 shards, 9 rows, " in capsys.readouterr().out
    assert main(["info", str(release.patches), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["splits"]["validation"]["rows"] == 3


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_info_of_an_incomplete_release_gives_status_1(release, capsys, json_):
    release.shard(1).unlink()
    release.shard(0).write_bytes(b"PAR1")
    assert main(["info", str(release.patches), *json_]) == 1
    out, err = capsys.readouterr()
    assert "3 shards, 9 rows" in out or json.loads(out)["splits"]["train"]["shards"] == 3
    assert "problem: train-00000-of-00003.parquet: not the file that the manifest describes; found 4 bytes" in err
    assert "problem: train-00001-of-00003.parquet: the shard is missing" in err


def test_verify_tells_readers_to_download_and_makers_to_write_the_manifest(release, capsys):
    data = bytearray(release.shard(0).read_bytes())
    data[len(data) // 2] ^= 1
    release.shard(0).write_bytes(data)
    assert main(["verify", str(release.patches)]) == 1
    assert "Download the shard again. If you made it and changed the shard on purpose: " in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"train": 3}'])
def test_statistics_that_are_damaged_are_named(release, text, capsys):
    (release.patches / "statistics.json").write_text(text)
    assert main(["info", str(release.patches)]) == 1
    assert "statistics.json" in capsys.readouterr().err


def test_what_the_system_says_of_a_file_is_a_line_and_a_fault_of_ours_is_not(release, monkeypatch, capsys):
    def fail(*_):
        raise errors.pop()

    monkeypatch.setattr(information, "info", fail)
    errors = [
        OSError("who raised this?"),
        OSError(errno.ENOSPC, "No space left on device"),
        PermissionError(errno.EACCES, "Permission denied", "/there"),
    ]
    assert main(["info", str(release.patches)]) == 1
    assert main(["info", str(release.patches)]) == 1
    assert capsys.readouterr().err == "error: Permission denied: /there\nerror: No space left on device\n"
    with pytest.raises(OSError, match="who raised this"):
        main(["info", str(release.patches)])


def test_our_errors_have_no_traceback(hub_home, capsys):
    assert main(["info", "nobody/nothing"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: cannot read nobody/nothing")
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [[], ["nothing"], ["verify"], ["verify", ".", "--sample", "0"]])
def test_a_wrong_command_line_gives_status_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: fornet" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["verify", "--help"], ["info", "--help"]])
def test_help_is_there(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    assert "fornet" in capsys.readouterr().out


def test_the_package_is_a_command(release):
    command = [sys.executable, "-m", "fornet_hf", "info", str(release.patches), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["format"] == "patches"


def test_it_tells_its_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"fornet {fornet_hf.__version__}\n"
