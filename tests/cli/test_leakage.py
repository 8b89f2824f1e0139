"""The command `fornet leakage`."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image

from fornet_hf.cli import main
from tests.publish.conftest import release

__all__ = ["release"]


def leakage(release, output, *options):
    place = ["leakage", str(release.patches), "-in", str(release.imagenet), "-o", str(output)]
    return main([*place, "--resamples", "50", *options])


def test_writes_table_numbers_and_sheet(release, tmp_path, capsys):
    assert leakage(release, tmp_path / "out") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split()[0] == "leakage"
    assert err.endswith("leakage.png\n")
    with (tmp_path / "out" / "leakage.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    document = json.loads((tmp_path / "out" / "leakage.json").read_text())
    parts = {(one["measure"], one["part"]): one["value"] for one in document["values"]}
    assert parts["leakage", ""] == pytest.approx(sum(scores) / 9, abs=1e-3)
    assert {kind for kind, part in parts if part == "infill beyond ring"} == {"laplace", "gaussian"}
    assert document["settings"]["split"] == "train"
    with Image.open(tmp_path / "out" / "leakage.png") as sheet:
        assert sheet.width > 500


def test_a_sample_and_workers_change_no_score_but_by_the_control(release, tmp_path, capsys, monkeypatch):
    assert leakage(release, tmp_path / "one", "--json") == 0
    monkeypatch.setenv("MAX_WORKERS", "2")
    assert leakage(release, tmp_path / "two", "--json") == 0
    assert (tmp_path / "one" / "leakage.csv").read_bytes() == (tmp_path / "two" / "leakage.csv").read_bytes()
    assert json.loads((tmp_path / "two" / "leakage.json").read_text())["images"] == 9


def test_critics_do_not_learn_from_few_images(release, tmp_path, capsys):
    assert leakage(release, tmp_path / "out", "--estimators", "closed-form,mine") == 1
    assert "found 9; allowed: 256 or more for mine, infonce" in capsys.readouterr().err


def test_too_few_images_and_unknown_estimators_are_errors(release, tmp_path, capsys):
    assert leakage(release, tmp_path / "out", "--split", "val") == 1
    assert "found 3; allowed: 8 or more" in capsys.readouterr().err
    assert leakage(release, tmp_path / "out", "--estimators", "guess") == 1
    assert "allowed: closed-form, mine, infonce" in capsys.readouterr().err


def test_an_output_that_is_no_folder_is_an_error_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "out").touch()
    assert main(["leakage", str(tmp_path / "none"), "-o", str(tmp_path / "out")]) == 1
    assert "File exists" in capsys.readouterr().err
