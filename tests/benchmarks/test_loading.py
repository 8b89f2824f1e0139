"""The benchmark of loading compares what it says, on images that differ."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import pytest

import figures
from benchmarks import photos

for _name in ("torch", "simplejpeg", "cv2", "skimage", "sklearn"):
    pytest.importorskip(_name)
if find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)
loading = pytest.importorskip("benchmarks.loading")
PHOTOS = photos.photos()


@pytest.mark.slow
def test_every_side_loads_the_same_images_and_the_page_has_a_line_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "photos", lambda *, outlines: PHOTOS)  # ellipses, which take no time
    views = photos.views.__wrapped__()
    assert len({hashlib.sha256(view.source).digest() for view in views}) == len(views) >= 60
    assert len({view.image.size for view in views}) > 3
    assert all(view.mask.any() and view.mask.shape == view.image.size[::-1] for view in views)
    monkeypatch.setattr(loading, "views", lambda: views[:8])
    sides = loading.sides(tmp_path / "rows")
    for name, side in sides.items():
        case = loading.case(name, *side)
        case.check(case.run())
    times = {name: {"on_core_median_ms": 2.0} for name in sides}
    result = {"photos": 8, "source_bytes": 9e4, "packages": {"simplejpeg": "1.9.0"}, "milliseconds_per_image": times}
    page = figures.loading({**result, "share_of_plain": dict.fromkeys(sides, 1.0)})
    assert all(f"| {name} | 2.00 | 1.00 |" in page for name in sides)
