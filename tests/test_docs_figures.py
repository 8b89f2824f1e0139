"""Figures of the pages are computed from results, and pages that lack them are noticed."""

from __future__ import annotations

import json

import pytest

import costs
import figures
import on_device
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


def test_composing_on_a_device_is_measured_against_its_goals():
    loaded = {"workers": 2, "images_per_second": 9000.0, "cpu_ms_an_image_in_main": 0.1}
    step = {"network": "ResNet-50", "workers": 2, "alone_ms": 60.0, "ms_a_step": 61.0}
    result = {
        "device": "A GPU",
        "backend": {"compose": "triton 3.6", "decode": "torchvision 0.26"},
        "options": {"batch": 256, "size": 224},
        "note": "A prototype.",
        "composing": {"pixels, kernels": {"items_per_second": 90_000}, "decoding JPEGs": {"items_per_second": 2e5}},
        "end_to_end": [
            {"side": "jpeg", "cpu_ms_an_image": 0.5, **loaded},
            {"side": "jpeg, none cut", "cpu_ms_an_image": 0.34, **loaded},
            {"side": "CPU", "cpu_ms_an_image": 3.0, **loaded},
        ],
        "training": [{"side": "jpeg", "waited": 0.013, **step}, {"side": "CPU", "waited": 0.4, **step}],
        "agreement": {"pixels, kernels": {"mean": 0.0031, "percentile_99.9": 1.0, "max": 2.0}},
        "left_out": ["ViT-S/16: ('CPU', 1)"],
    }
    page = on_device.composing(result)
    assert "A prototype." in page
    assert "| composing 100,000 images a second | 90,000 | no |" in page  # decoding is no composing
    assert "| `jpeg` 8,000 images a second, end to end | 9,000 | yes |" in page
    assert "| `jpeg` 0.35 CPU ms an image | 0.34 at the least | yes |" in page
    assert "`pixels`" not in page.partition("| goal")[2]  # not measured
    assert "| ResNet-50 waits less than 2% with `jpeg` and 2 workers | 1% | yes |" in page
    assert "| ResNet-50 | CPU | 2 | 60.0 | 61.0 | 40.0% |" in page
    assert "| pixels, kernels | 0.003 | 1 | 2 |" in page
    assert "Left out, as time was up: ViT-S/16" in page
    assert "goal" not in on_device.composing({**result, "device": "CPU"})
