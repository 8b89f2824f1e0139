"""The benchmark of layers draws its set and goes through the whole chain."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")
pytest.importorskip("cv2")

from benchmarks import harness, layers  # noqa: E402
from benchmarks.drawn import drawn, write  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]


def test_a_drawing_follows_from_its_number_and_its_object_stands_out():
    one, again, other = drawn(32, 0, 1), drawn(32, 0, 1), drawn(32, 0, 2)
    assert np.array_equal(one.image, again.image)
    assert not np.array_equal(one.image, other.image)
    shares = [drawn(16, 0, number).mask.mean() for number in range(200)]
    assert 0.1 < min(shares) < np.mean(shares) < max(shares) < 0.4
    assert 0.17 < np.mean(shares) < 0.23
    inside, outside = (one.image[one.mask == value].astype(float) for value in (True, False))
    assert inside[:, 0].mean() > inside[:, 2].mean() + 50  # objects are red and yellow
    assert abs(inside.mean(0) - outside.mean(0)).max() > 20


def test_the_chain_ends_in_scores_of_images_that_nothing_has_seen(tmp_path):
    before = sorted(harness.RESULTS.iterdir())
    arguments = layers.parse([str(tmp_path), "--preset", "quick", "--device", "cpu"])
    found = layers.separated(tmp_path, layers.PLANS["quick"], arguments)
    assert found["ended"]
    assert found["course"][-1]["kimg"] == 1
    assert {value["n"] for value in found["on_held_images"]} == {16}
    assert {"iou", "dice"} <= {value["measure"] for value in found["on_held_images"]}
    assert sorted(harness.RESULTS.iterdir()) == before


def test_drawing_the_set_takes_of_the_minutes_of_the_run(tmp_path, monkeypatch):
    now = 0.0

    def draw(folder, count, side, seed):
        nonlocal now
        now += 150
        write(folder, count, side, seed)

    monkeypatch.setattr(layers, "write", draw)
    monkeypatch.setattr(layers, "time", SimpleNamespace(monotonic=lambda: now))
    asked = []
    train = layers.train_layers.main
    monkeypatch.setattr(layers.train_layers, "main", lambda words: asked.append(words) or train(words))
    found = layers.separated(
        tmp_path, layers.PLANS["quick"], layers.parse([str(tmp_path), "--device", "cpu", "--minutes", "5"])
    )
    (words,) = asked
    assert words[words.index("--minutes") + 1] == "0.0"
    assert not found["ended"]
    assert found["course"] == []
