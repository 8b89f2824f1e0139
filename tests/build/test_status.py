import json
import os

import pytest

from producers.work.report import Lost, Report
from status import main, status


@pytest.fixture
def run(tmp_path):
    """Three of five shards are finished: two of them ten seconds apart, the first an hour before."""
    (tmp_path / "run.json").write_text(json.dumps({"splits": {"train": ["a"] * 4, "validation": ["b"]}}))
    (tmp_path / "reports").mkdir()
    for index, (name, time) in enumerate([("train-00000", 0), ("train-00001", 3600), ("validation-00000", 3610)]):
        report = Report(ok=10, lost=[Lost(f"k{index}", "no_detect", "no box", "nothing")])
        report.seconds = {"detect": 3.0, "infill": 1.0, "all": 5.5}
        path = tmp_path / "reports" / f"{name}-of-00004.json"
        path.write_text(json.dumps(report.to_json()))
        os.utime(path, (1e9 + time, 1e9 + time))
    return tmp_path


def test_it_says_how_far_a_run_is_and_where_the_time_went(run, capsys):
    assert main([str(run)]) == 3
    said = capsys.readouterr().out
    for line in (
        "train: 2 of 4 shards",
        "validation: 1 of 1 shards",
        "33 images: 30 ok, 3 no_detect, 0 error (3 x no_detect: no box)",
        "2.00 images a second and process, 7,200 an hour; of the time:",
        "  detect              54.5%",
        "at the last shards' pace, 0:00:20 to go",
    ):
        assert line in said


def test_a_pause_does_not_count_as_pace(run):
    found = status(run)
    assert (found.span, found.recent, found.left) == (10, 1, 2)


def test_a_finished_run_is_told_by_the_exit_status(run, capsys):
    (run / "run.json").write_text(json.dumps({"splits": {"train": ["a"] * 2, "validation": ["b"]}}))
    assert main([str(run)]) == 0
    assert "to go" not in capsys.readouterr().out


def test_a_run_that_has_just_begun_is_no_error(tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps({"splits": {"train": ["a"]}}))
    assert main([str(tmp_path)]) == 3
    assert "train: 0 of 1 shards" in capsys.readouterr().out


def test_another_folder_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "not the folder of a run" in capsys.readouterr().err
