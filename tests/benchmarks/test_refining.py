"""The benchmark of refinement plants objects whose mask and ground are known."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")

from benchmarks import refining
from benchmarks.photos import Photo


def photo(name, colour):
    y, x = np.mgrid[:150, :200]
    mask = np.hypot(x - 100, y - 75) < 50
    pixels = np.where(mask[..., None], colour, np.stack([x, y, x // 2], -1)).astype(np.uint8)
    return Photo(name, Image.fromarray(pixels), mask)


def test_planted_objects_are_where_their_masks_are_and_are_scored(monkeypatch, capsys):
    found = photo("red", (250, 0, 0)), photo("blue", (0, 0, 250))
    monkeypatch.setattr(refining, "photos", lambda outlines: found)
    scenes = list(refining.planted())
    assert len(scenes) == 6
    for one in scenes:
        changed = np.abs(one.raster.astype(int) - one.ground).max(-1) > 100
        assert refining.overlap(changed, one.mask) > 0.9
        assert 0.3 < one.mask.sum() / found[0].mask.sum() < 0.42
    assert refining.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("rough mask: 10 pixels around it; 6 images, IoU 0.5")
    assert float(lines[2].split("background")[1].split()[0]) > 0.9
