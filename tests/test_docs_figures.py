"""Figures of the pages are computed from results, and pages that lack them are noticed."""

from __future__ import annotations

import json

import pytest

import costs
import figures
import stated

RUNS = [
    {"rows": 1000, "workers": 1, "seconds_on_core": 5.0},
    {"rows": 1000, "workers": 2, "seconds_on_core": 12.0},
    {"rows": 9000, "workers": 2, "seconds_on_core": 44.0},
]


def test_another_row_costs_what_larger_runs_took_longer():
    few, many = costs.two_sizes({"runs": RUNS})
    assert (few["rows"], many["rows"]) == (1000, 9000)
    assert costs.ms_a_row(few, many) == pytest.approx(4.0)


def test_the_table_is_images_times_what_one_costs(tmp_path):
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    sizes = {"prepared_bytes_a_row": 70_000, "source_bytes_a_row": 71_000}
    prepare = {"size": [500, 375], "runs": [{**run, **sizes} for run in RUNS]}
    (folder / "prepare.json").write_text(json.dumps(prepare))
    infilling = {name: {"bytes_a_picture": {"patch": size}} for name, size in (("photo", 30_000), ("smooth", 9_000))}
    (folder / "patches.json").write_text(json.dumps({"infilling": infilling}))
    table = costs.costs_table(tmp_path)
    assert "| download | patches, 12 to 40 GB | patches, and 150 GB of ImageNet |" in table
    assert "| disk, downloads | 12 to 40 GB | 162 to 190 GB |" in table
    assert "| disk, prepared rows | 93 GB | 93 GB |" in table
    assert "| preparing | 22 min | 6 min | 1 min |" in table
    assert "4.0 ms on a core, which is (44.0 s - 12.0 s on cores) / (9,000 - 1,000 rows)" in table


def test_figures_in_a_text_are_replaced_and_missing_ones_are_told():
    page = "It took 3 s\nand 12 MB, not 3 kB."
    assert stated.with_figures(page, [(r"took (\d+) s\s+and (\d+) MB", ["5", "100"])]) == page.replace(
        "3 s", "5 s"
    ).replace("12", "100")
    with pytest.raises(LookupError, match="lasted"):
        stated.with_figures(page, [(r"lasted (\d+)", ["1"])])


def test_a_result_says_its_conditions():
    machine = {
        "date": "2026-01-02T03:04:05+00:00",
        "commit": "abcdef123456",
        "cpu": "A CPU",
        "cores_visible": 2,
        "load_average": [1.5, 1, 1],
        "python": "3.11.7",
        "versions": {"torchvision": "0.28.0"},
    }
    line = figures._machine("x.json", {"machine": {**machine, "torchvision_operators": "missing: ..."}})
    assert "2026-01-02, commit abcdef123456, A CPU, 2 cores, load 1.5, Python 3.11.7, torchvision 0.28.0; " in line
    assert "torchvision without its compiled operators" in line
    assert "without" not in figures._machine("x.json", {"machine": {**machine, "torchvision_operators": "compiled"}})
