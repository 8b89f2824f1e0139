"""The demo makes what it promises."""

import json
import subprocess
import sys

import pytest
from PIL import Image

import demo as script
from demo_hub import through_the_hub
from fornet_hf.format.manifest import read_manifest
from tests.blocks import ROOT
from tests.hidden import canonical, only, required


def test_the_demo_takes_every_photograph_apart(demo):
    report = json.loads((demo / "made/report.json").read_text())
    manifest = read_manifest(demo / "made/patches")
    assert {split: sum(entry.rows for entry in shards) for split, shards in manifest.splits.items()} == {
        "train": 25,
        "validation": 10,
    }
    assert report["outcomes"] == {"ok": 35, "no_detect": 0, "error": 0}


def test_the_contact_sheet_is_a_page_of_images(demo):
    with Image.open(demo / "contact_sheet.png") as page:
        assert page.width > 1000
        assert page.height > 600
        assert len(page.convert("RGB").getcolors(2**24)) > 50_000


def test_the_table_says_that_all_digests_were_verified(demo):
    table = (demo / "output.txt").read_text()
    assert "35 of 35 backgrounds, bit for bit" in table


def test_the_demo_can_go_through_a_hub_and_leaves_the_caches_of_the_user_alone(demo, tmp_path, monkeypatch):
    pytest.importorskip("torch")  # once is enough
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "of_the_user"))
    said = through_the_hub(tmp_path, demo / "made/patches", demo / "pictures")
    assert said.startswith("{'train': 25, 'validation': 10} from TNauen/ForNet")
    assert not (tmp_path / "of_the_user").exists()


def test_the_demo_sets_up_a_part_of_what_is_tested():
    wanted = required("build/requirements-demo.txt")
    known = required("requirements.txt")
    assert {name: known.get(name) for name in wanted} == wanted
    assert not wanted.keys() & {"torch", "transformers", "ray", "scipy"}


def test_what_is_hidden_cannot_be_imported_and_the_rest_can():
    code = (
        "from importlib.util import find_spec; print([find_spec(name) is None for name in ('hypothesis', 'numpy')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=only({"numpy"}), check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[True, False]"


def test_all_packages_that_are_missing_are_named_at_once(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script, "find_spec", lambda module: None)
    assert script.main(["--out", str(tmp_path)]) == 1
    assert "pip install opencv-python-headless scikit-image scikit-learn" in capsys.readouterr().err


def test_the_extra_brings_all_packages_that_the_demo_asks_for():
    tomllib = pytest.importorskip("tomllib")
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["demo"]
    assert {canonical(line.partition(">")[0]) for line in extra} == set(script._PACKAGES.values())
