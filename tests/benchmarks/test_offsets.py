"""The benchmark of the search for offsets runs, and what it times finds where cut-outs came from."""

import pytest

pytest.importorskip("cv2")
pytest.importorskip("skimage")
pytest.importorskip("sklearn")

from benchmarks import offsets


def test_both_searches_are_timed_and_the_fast_one_is_right(monkeypatch, capsys):
    monkeypatch.setattr(offsets, "_EVERY", 375)
    offsets.main(["--images", "3", "--exhaustive", "1"])
    said = capsys.readouterr().out
    assert "3 of 3 right, 0 not trusted" in said
    assert "times as long" in said
