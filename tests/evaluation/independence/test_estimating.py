"""Bounds learned from given rows: of vectors and of images, by group, each row scored by a critic new to it."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from fornet_hf.evaluation.independence.configuration import EstimatorConfig  # noqa: E402
from fornet_hf.evaluation.independence.estimating import ALONE, estimate  # noqa: E402
from tests.evaluation.independence.gaussians import INFORMATION, pairs  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402, F401

QUICK = {"width": 32, "batch": 128, "steps": 100, "every": 25, "folds": 2, "device": "cpu"}
CONFIG = EstimatorConfig(critic="bilinear", rate=5e-3, **QUICK)


def rows(count=1000, correlation=INFORMATION[4]):
    return pairs(correlation, count, np.random.default_rng(0))


def test_the_bound_is_the_mean_of_the_scores_and_has_an_interval():
    found = estimate(*rows(), CONFIG)
    assert 1 < found.value.low < found.value.value < found.value.high < 4
    assert found.scores.mean() == pytest.approx(found.value.value)
    assert (found.value.measure, found.value.n, found.value.left_out) == ("infonce", 1000, {})


def test_the_same_seed_gives_the_same_numbers():
    before = torch.get_rng_state()
    one, same = (estimate(*rows(300), CONFIG) for _ in range(2))
    assert np.array_equal(one.scores, same.scores)
    assert torch.equal(torch.get_rng_state(), before)
    other = estimate(*rows(300), EstimatorConfig(**vars(CONFIG) | {"seed": 1}))
    assert not np.array_equal(one.scores, other.scores)


def test_shuffled_rows_have_no_information():
    x, y = rows()
    for estimator in ("mine", "infonce"):
        value = estimate(x, y[::-1].copy(), EstimatorConfig(**vars(CONFIG) | {"estimator": estimator})).value
        assert value.low <= 0.03
        assert value.high >= -0.03


def test_a_row_that_does_not_fit_the_others_scores_low():
    x, y = rows()
    y[:50] = np.roll(y[:50], 1, axis=0)
    scores = estimate(x, y, CONFIG).scores
    assert (scores[:50, None] < scores[50:]).mean() > 0.9


def test_rows_are_compared_with_their_own_group_only():
    classes = np.arange(600) % 3
    draws = np.random.default_rng(0)
    x, y = 3 * np.eye(3)[classes] + draws.normal(0, 0.5, (2, 600, 3))
    across, within = estimate(x, y, CONFIG), estimate(x, y, CONFIG, groups=classes.tolist())
    assert math.log(3) / 2 < across.value.value < math.log(3)
    assert abs(within.value.value) < 0.05


def test_a_row_without_partners_is_left_out():
    x, y = rows(301)
    found = estimate(x, y, CONFIG, groups=["many"] * 300 + ["one"])
    assert np.isnan(found.scores).tolist() == [False] * 300 + [True]
    assert found.value.left_out == {ALONE: 1}


def test_the_evidence_names_the_sources():
    names = [f"image {row}" for row in range(300)]
    assert sorted(estimate(*rows(300), CONFIG, sources=names).value.evidence.sources) == sorted(names)


def silhouettes(count):
    """Return foregrounds with their shape and an area, backgrounds, and which of these are darker in the shape."""
    draws, side = np.random.default_rng(0), np.arange(12)
    ends = np.sort(draws.integers(0, 13, (count, 2, 2)), axis=2)[..., None]
    across, down = ((ends[:, axis, 0] <= side) & (side < ends[:, axis, 1]) for axis in (0, 1))
    shapes = (across[:, :, None] & down[:, None])[:, None]
    planted = draws.random(count) < 0.5
    backgrounds = draws.uniform(-0.5, 0.5, (count, 3, 1, 1)) + draws.normal(0, 0.1, (count, 3, 12, 12))
    area = np.ones_like(shapes)
    return (
        np.concatenate([shapes * draws.normal(size=(count, 3, 12, 12)), shapes, area], axis=1),
        backgrounds - 0.8 * shapes * planted[:, None, None, None],
        planted,
    )


def test_a_critic_of_images_finds_silhouettes():
    x, y, planted = silhouettes(600)
    config = EstimatorConfig(critic="images", others=3, **QUICK | {"batch": 32, "steps": 150})
    found = estimate(x, y, config)
    assert found.value.low > 0.1
    assert (found.scores[planted, None] > found.scores[~planted]).mean() > 0.75


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": np.zeros((99, 20))}, "rows of y"),
        ({"groups": [0] * 99}, "rows of groups"),
        ({"sources": ["image"] * 100}, "rows of sources"),
        ({"groups": list(range(100))}, "largest group"),
        ({"config": EstimatorConfig(critic="images")}, "shape of images"),
        ({"config": EstimatorConfig(folds=20)}, "largest group"),
    ],
)
def test_what_does_not_fit_is_refused(change, match):
    x, y = rows(100)
    given = {"x": x, "y": y, "config": CONFIG} | change
    with pytest.raises(ConfigurationError, match=match):
        estimate(given.pop("x"), given.pop("y"), given.pop("config"), **given)
