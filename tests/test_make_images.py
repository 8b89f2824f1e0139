"""The images of the pages can be made again."""

from __future__ import annotations

import re

import pytest

import make_images
from tests.blocks import ROOT


@pytest.mark.slow
def test_every_image_is_made_and_shown(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["make_images.py", str(demo), "--out", str(tmp_path)])
    make_images.main()
    made = {path.name for path in tmp_path.iterdir()}
    pages = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("how_it_works.md", "mixing.md")]
    assert made == {name for page in pages for name in re.findall(r"\(images/(.+?)\)", page)}
    assert {name for name in made if not (ROOT / "docs" / "images" / name).is_file()} == set()
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 100_000
