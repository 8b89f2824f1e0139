"""The report."""

import json

import pytest

from producers.work.report import Lost, Report


@pytest.fixture
def report():
    lost = [
        Lost("a", "error", "SourceError", "a: damaged"),
        Lost("b", "no_detect", "no box", "nothing"),
        Lost("c", "error", "SourceError", "c: damaged"),
    ]
    return Report(ok=5, lost=lost, seconds={"read": 2.0, "segment": 16.0})


def test_every_outcome_is_counted_with_its_reason(report):
    assert report.outcomes() == {"ok": 5, "no_detect": 1, "error": 2}
    assert report.reasons() == {"error: SourceError": 2, "no_detect: no box": 1}
    assert report.summary().startswith("8 images: 5 ok, 1 no_detect, 2 error (2 x error: SourceError")


def test_json_has_the_speed_of_each_stage_and_gives_the_report_back(report):
    value = json.loads(json.dumps(report.to_json()))
    assert value["pictures_per_second"] == {"read": 4.0, "segment": 0.5}
    assert Report.from_json(value) == report


def test_reports_add_up(report):
    total = Report()
    total.add(report)
    total.add(report)
    assert (total.images, total.ok, total.seconds["read"]) == (16, 10, 4.0)
    assert report.images == 8


def test_the_clock_counts_failures_too():
    report = Report()
    with pytest.raises(KeyError), report.clock("read"):
        raise KeyError
    assert report.seconds["read"] >= 0


def test_a_report_keeps_where_and_when_it_was_made_and_older_ones_are_read(report):
    made = Report(ok=1, where="node7 cuda:1", ended=1.5e9)
    assert Report.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert "where" not in report.to_json()
    total = Report()
    total.add(made)
    assert (total.where, total.ended) == ("", 0)


def test_whoever_watches_is_told_the_images_so_far(report):
    told = []
    report.watch = told.append
    with report.clock("read"):
        pass
    assert list(report.counted(["one"])) == ["one"]
    report.spend("write", 1.0)
    assert told == [8, 9]
