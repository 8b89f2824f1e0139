"""The demo makes what it promises."""

import json

import pytest
from PIL import Image

from demo_hub import through_the_hub
from fornet_hf.manifest import read_manifest


def test_the_demo_takes_every_photograph_apart(demo):
    report = json.loads((demo / "made/report.json").read_text())
    manifest = read_manifest(demo / "made/patches")
    assert {split: sum(entry.rows for entry in shards) for split, shards in manifest.splits.items()} == {
        "train": 25,
        "validation": 10,
    }
    assert report["outcomes"] == {"ok": 35, "no_detect": 0, "error": 0}


def test_the_contact_sheet_is_a_page_of_pictures(demo):
    with Image.open(demo / "contact_sheet.png") as page:
        assert page.width > 1000
        assert page.height > 600
        assert len(page.convert("RGB").getcolors(2**24)) > 50_000


def test_the_table_says_that_all_digests_were_verified(demo):
    table = (demo / "output.txt").read_text()
    assert "35 of 35 backgrounds, bit for bit" in table


def test_the_demo_can_go_through_a_hub(demo, tmp_path):
    pytest.importorskip("torch")  # once is enough
    said = through_the_hub(tmp_path, demo / "made/patches", demo / "pictures")
    assert said.startswith("{'train': 25, 'validation': 10} from TNauen/ForNet")
