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
