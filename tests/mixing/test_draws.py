"""Draws of a batch: numbers from a generator, and their distributions."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing.draws import Mix, draw, identity
from fornet_hf.mixing.methods import CutMixConfig, FMixConfig, MixUpConfig

KINDS = [FMixConfig, CutMixConfig, MixUpConfig]
all_kinds = pytest.mark.parametrize("kind", KINDS)


def rng(seed=0):
    return np.random.default_rng(seed)


@all_kinds
@pytest.mark.parametrize("each", ["batch", "image"])
def test_a_draw_goes_to_json_and_back(kind, each):
    mix = draw(kind(each=each, reformulate=True), rng(), 5, (8, 6))
    assert Mix.from_json(json.loads(json.dumps(mix.to_json()))) == mix
    assert len(mix.lam) == (1 if each == "batch" else 5)
    assert sorted(mix.partner) == list(range(5))
    assert mix.shares == (1.0,) * len(mix.lam)
    assert 0 <= mix.key < 2**63


@pytest.mark.parametrize("value", [{}, {"method": "fmix", "partner": 3, "lam": [1]}, {"what": 1}])
def test_other_json_is_refused(value):
    with pytest.raises(ConfigurationError):
        Mix.from_json(value)


@all_kinds
def test_a_draw_depends_on_its_generator_alone(kind):
    config = kind(each="image")
    assert draw(config, rng(3), 6, (8, 8)) == draw(config, rng(3), 6, (8, 8)) != draw(config, rng(4), 6, (8, 8))


@pytest.mark.parametrize(("alpha", "variance"), [(1.0, 1 / 12), (0.2, 1 / (4 * 1.4))])
def test_lambda_is_of_a_beta_distribution(alpha, variance):
    lam = np.array(draw(MixUpConfig(alpha=alpha, each="image"), rng(), 20000, (1,)).lam)
    assert lam.mean() == pytest.approx(0.5, abs=0.01)
    assert lam.var() == pytest.approx(variance, rel=0.03)


def test_the_reformulated_lambda_favours_the_image_itself():
    lam = draw(MixUpConfig(each="image", reformulate=True), rng(), 20000, (1,)).lam
    assert np.mean(lam) == pytest.approx(2 / 3, abs=0.01)


@all_kinds
@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
def test_the_share_of_what_is_mixed(kind, p):
    lam = np.array(draw(kind(each="image", p=p), rng(), 4000, (500, 500)).lam)
    assert np.mean(lam < 1) == pytest.approx(p, abs=0.03)
    assert draw(kind(p=0.0), rng(), 4, (8, 8)).is_identity


def test_identity():
    assert identity(FMixConfig(), 3) == Mix(method="fmix", partner=(0, 1, 2), lam=(1.0,))


@given(st.integers(0, 2**32), st.lists(st.integers(1, 40), min_size=1, max_size=3), st.booleans())
def test_boxes_lie_in_the_image_and_lambda_is_what_they_leave(seed, size, correct):
    mix = draw(CutMixConfig(each="image", correct_lam=correct), rng(seed), 4, size)
    drawn = rng(seed).beta(1, 1, 4)
    for lam, box, share in zip(mix.lam, mix.boxes, drawn, strict=True):
        assert all(0 <= first <= end <= side for (first, end), side in zip(box, size, strict=True))
        sides = [end - first for first, end in box]
        whole = [int(side * (1 - share) ** (1 / len(size))) for side in size]
        for (first, end), got, cut, side in zip(box, sides, whole, size, strict=True):
            assert got == cut or (got < cut and (first == 0 or end == side))  # clipped
        left = 1 - math.prod(sides) / math.prod(size)
        assert lam == pytest.approx(left if correct else share)


def test_centres_of_boxes_are_uniform():
    boxes = np.array(draw(CutMixConfig(each="image", alpha=1e6), rng(), 20000, (10, 1000)).boxes)
    inner = boxes[:, 1][(boxes[:, 1, 0] > 0) & (boxes[:, 1, 1] < 1000)]
    centres = inner.mean(1)
    assert centres.min() == pytest.approx(354, abs=5)
    assert centres.std() == pytest.approx(292 / math.sqrt(12), rel=0.03)
