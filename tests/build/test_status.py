import json
import os
import socket
import time

import pytest

import segment
import status
from producers.views.overview import overview
from producers.work import progress
from producers.work.report import Lost, Report
from status import main

NOW = 1e9 + 4000


def write(run, name, ended, where="", ok=10, seconds=10.0, lost=1):
    report = Report(ok=ok, lost=[Lost(f"k{n}", "no_detect", "no box", "nothing") for n in range(lost)])
    report.seconds = {"detect": 0.6 * seconds, "infill": 0.2 * seconds, "all": seconds}
    report.where, report.ended = where, 1e9 + ended if where else 0.0
    path = run / "reports" / f"{name}-of-00004.json"
    path.write_text(json.dumps(report.to_json()))
    os.utime(path, (1e9 + ended, 1e9 + ended))


def at_work(run, process, where, task, begun, seen, images):
    (run / "progress").mkdir(exist_ok=True)
    one = {"where": where, "task": task, "of": 12, "begun": 1e9 + begun, "seen": 1e9 + seen, "images": images}
    (run / "progress" / f"{process}.json").write_text(json.dumps(one))


@pytest.fixture
def run(tmp_path):
    """Three of five shards are finished: two of them ten seconds apart, the first an hour before."""
    (tmp_path / "run.json").write_text(json.dumps({"splits": {"train": ["a"] * 4, "validation": ["b"]}}))
    (tmp_path / "reports").mkdir()
    write(tmp_path, "train-00000", 0, "node1 cuda:0")
    write(tmp_path, "train-00001", 3600, "node1 cuda:1")
    write(tmp_path, "validation-00000", 3610, "node1 cuda:1")
    return tmp_path


def said(found):
    return "\n".join(status.lines(found))


def test_it_says_how_far_a_run_is_and_where_the_time_went(run, capsys):
    assert main([str(run)]) == 3
    text = capsys.readouterr().out
    for line in (
        "train: 2 of 4 shards",
        "validation: 1 of 1 shards",
        "33 images: 90.9% ok, 9.1% no_detect, 0.0% error",
        "    9.09%  no_detect: no box",
        "    60.0%  detect",
    ):
        assert line in text.split("\n")


def test_the_recent_pace_is_that_since_the_last_pause_and_tells_when_it_ends(run):
    found = overview(run, NOW)
    assert found.recent == pytest.approx(3600 * 22 / 20)
    assert found.average == pytest.approx(3600 * 33 / 30)
    assert found.seconds_left == pytest.approx(20)
    assert found.ends.timestamp() == pytest.approx(NOW + 20)
    assert "at the recent pace, 0:00:20 to go: until " in said(found)


def test_each_gpu_has_its_own_line_and_a_silent_one_is_named(run):
    first, second = overview(run, NOW).devices
    assert (first.where, first.shards, first.images, first.recent) == ("node1 cuda:0", 1, 11, 0)
    assert (second.where, second.shards, second.images) == ("node1 cuda:1", 2, 22)
    assert second.recent == pytest.approx(3600 * 22 / 20)
    assert (first.silent, second.silent) == (4000, None)
    (line,) = (line for line in said(overview(run, NOW + 6000)).split("\n") if line.startswith("node1 cuda:0"))
    assert line.endswith("; silent for 3 h")


def test_images_of_shards_in_progress_count(run):
    at_work(run, "node1-7", "node1 cuda:1", "train-00002-of-00004", 3610, 3630, 6)
    found = overview(run, NOW)
    assert found.recent == pytest.approx(3600 * 28 / 40)
    assert found.seconds_left == pytest.approx(16 / (28 / 40))
    assert found.devices[1].images == 28
    assert "running: train-00002-of-00004, 6 of 12 images, on node1 cuda:1\n" in said(found)


def test_what_killed_processes_left_does_not_count(run):
    at_work(run, "node1-7", "node1 cuda:1", "train-00002-of-00004", 100, 3000, 6)
    at_work(run, "node1-8", "node1 cuda:1", "train-00001-of-00004", 100, 3599, 6)
    found = overview(run, NOW)
    assert found.seconds_left == pytest.approx(20)
    assert [one.task for one in found.running] == ["train-00002-of-00004"]
    assert "on node1 cuda:1; silent for 17 min, perhaps killed" in said(found)


def test_a_shard_whose_process_has_ended_here_is_said_to_be_left(run, monkeypatch):
    monkeypatch.setattr(progress, "_may_be_alive", lambda path: path.stem != "node1-7")
    at_work(run, "node1-7", "node1 cuda:1", "train-00002-of-00004", 3610, 3630, 6)
    found = overview(run, NOW)
    assert found.seconds_left == pytest.approx(20)
    assert "begun, but its process has ended: train-00002-of-00004, 6 of 12 images, on node1 cuda:1\n" in said(found)


def test_reports_that_do_not_say_where_they_were_made_count_too(run):
    write(run, "train-00002", 3620)
    first, *_ = overview(run, NOW).devices
    assert (first.where, first.ended) == ("", 1e9 + 3620)
    assert "\nnot said " in said(overview(run, NOW))


def test_processes_say_where_they_are(image_folder, tmp_path):
    words = [*map(str, (image_folder[0], tmp_path / "run")), "--detector", "centred", "--segmenter", "grabcut"]
    words += ["--infiller", "opencv", "--gpus", "0", "--workers", "0", "--split", "val", "--precision", "float32"]
    assert segment.main(words) == 0
    (device,) = overview(tmp_path / "run", time.time()).devices
    assert (device.where, device.shards, device.images) == (f"{socket.gethostname()} cpu", 1, 1)


def test_a_finished_run_is_told_by_the_exit_status_and_nobody_in_it_is_silent(run, capsys):
    (run / "run.json").write_text(json.dumps({"splits": {"train": ["a"] * 2, "validation": ["b"]}}))
    assert main([str(run)]) == 0
    text = capsys.readouterr().out
    assert "to go" not in text
    assert "silent" not in text


def test_it_is_the_same_for_machines(run, capsys):
    assert main([str(run), "--json"]) == 3
    value = json.loads(capsys.readouterr().out)
    assert value["shards"]["train"] == {"finished": 2, "of": 4}
    assert value["shares"]["no_detect"] == pytest.approx(3 / 33)
    assert [one["where"] for one in value["devices"]] == ["node1 cuda:0", "node1 cuda:1"]


def test_a_watched_run_is_told_again_until_it_is_done(run, capsys, monkeypatch):
    def sleep(seconds):
        assert seconds == 5
        (run / "run.json").write_text(json.dumps({"splits": {"train": ["a"] * 2, "validation": ["b"]}}))

    monkeypatch.setattr(time, "sleep", sleep)
    assert main([str(run), "--watch", "5"]) == 0
    text = capsys.readouterr().out
    assert text.count("validation: 1 of 1 shards") == 2
    assert "\033" not in text


def test_a_run_that_has_just_begun_is_no_error(tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps({"splits": {"train": ["a"]}}))
    assert main([str(tmp_path)]) == 3
    assert "train: 0 of 1 shards" in capsys.readouterr().out


def test_a_damaged_report_is_named(run, capsys):
    (run / "reports" / "train-00000-of-00004.json").write_text('{"outcomes": {}')
    assert main([str(run)]) == 1
    assert "train-00000-of-00004.json is no report of a shard" in capsys.readouterr().err


def test_another_folder_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "not the folder of a run" in capsys.readouterr().err
