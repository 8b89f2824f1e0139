"""`fornet variants`."""

import json

import datasets
import pytest
from PIL import Image

from fornet_hf.cli.main import main
from fornet_hf.evaluation.data.opening import open_data
from fornet_hf.evaluation.data.trees import read_tree
from fornet_hf.features import row_features
from tests.factory import columns, make_row


@pytest.fixture
def saved(tmp_path):
    values = [columns(make_row(number)) for number in range(8)]
    rows = datasets.Dataset.from_list(values, features=row_features(["cat", "dog", "gnu"]))
    rows.save_to_disk(tmp_path / "rows" / "validation")
    return tmp_path / "rows"


def test_variants_are_made_once_and_told(saved, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "1")
    words = ["variants", "--data", str(saved), "--output", str(tmp_path / "in9"), "--per-class", "1"]
    assert main(words) == 0
    first = capsys.readouterr()
    assert "3 classes x 1 images x 8 variants: 24 made, 0 already there" in first.out
    assert "not applied: no annotation" in first.err
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == 0
    assert len(read_tree(tmp_path / "in9").variants) == 8
    note = json.loads((tmp_path / "in9" / "variants.json").read_text())
    assert note["val"]["settings"]["data"] == open_data(saved).fingerprint


def test_variants_need_objects(tmp_path, capsys):
    (tmp_path / "images" / "cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "images" / "cat" / "one.JPEG")
    assert main(["variants", "--data", str(tmp_path / "images"), "-o", str(tmp_path / "in9")]) == 1
    assert "variants are made of rows of a ForNet" in capsys.readouterr().err


def test_groups_of_classes_come_from_a_file(saved, tmp_path, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "1")
    groups = tmp_path / "groups.json"
    groups.write_text('{"wild": ["gnu"], "tame": ["cat", 1]}')
    words = ["variants", "--data", str(saved), "-o", str(tmp_path / "two"), "--taxonomy", str(groups)]
    assert main([*words, "--variants", "original,mixed_next_i"]) == 0
    assert read_tree(tmp_path / "two").class_names == ("wild", "tame")


def test_wrong_settings_are_one_line(saved, tmp_path, capsys):
    assert main(["variants", "--data", str(saved), "-o", str(tmp_path / "in9"), "--variants", "mixed"]) == 1
    assert "error: variants: variants is not allowed" in capsys.readouterr().err
