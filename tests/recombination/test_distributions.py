"""What the library draws is distributed as the definition says, for every parameter.

Each test compares a few thousand seeded draws of the library with as many of the plain reference by the two-sample
Kolmogorov-Smirnov statistic. Its threshold (p = 1e-4) is far below what equal distributions give at these seeds and
is passed by any difference of more than six per cent of the probability mass.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.draw.sampling import BackgroundShape, ForegroundShape, draw
from tests.recombination import reference

DRAWS = 3000
CANVAS = (500, 375)
RATIOS = (0.3, 0.1)
PARAMETERS = [
    {},
    {"fg_scale_jitter": 0.0},
    {"fg_scale_jitter": 0.9},
    {"fg_scale_jitter": (0.1, 0.8)},
    {"fg_size_mode": "max"},
    {"fg_size_mode": "min"},
    {"fg_size_mode": "mean"},
    {"fg_bates_n": 0},
    {"fg_bates_n": 2},
    {"fg_bates_n": 5},
    {"fg_bates_n": -1},
    {"fg_bates_n": -2},
    {"fg_bates_n": -3},
    {"mask_smoothing_sigma": 0.0},
    {"mask_smoothing_sigma": 12.0},
    {"rel_jut_out": 0.4},
    {"rel_jut_out": 1.0, "fg_bates_n": -2},
    {"fg_size_fact": 0.25},
    {"fg_size_fact": 3.0},
    {"fg_size_fact": 8.0},
    {"fg_in_nonant": -1},
    {"fg_in_nonant": -1, "rel_jut_out": 0.5},
    *({"fg_in_nonant": cell, "fg_size_fact": 0.4} for cell in range(9)),
    {"fg_in_nonant": 5, "fg_bates_n": 3, "rel_jut_out": 0.7, "fg_size_fact": 0.4},
]
STATISTICS = ("width", "height", "left", "top", "part left", "part top", "radius")


def name(parameters: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in parameters.items()) or "defaults"


def blob(width: int, height: int) -> Image.Image:
    """An RGBA image of an L-shaped object, which touches all four edges."""
    image = Image.new("RGBA", (width, height), (200, 60, 20, 255))
    image.paste((0, 0, 0, 0), (width - width // 2, 0, width, height // 2))
    return image


def library(parameters: dict[str, Any], *, evaluation: bool = False, size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """`DRAWS` x `STATISTICS` of the library."""
    config = RecombinationConfig(**parameters, background_combination="orig", evaluation=evaluation)
    coverage = float(np.mean(np.asarray(blob(*size).getchannel("A")) / 255))
    foreground = ForegroundShape(*size, coverage, RATIOS[0])
    own = BackgroundShape(None, *CANVAS, RATIOS[1])
    rows = []
    for number in range(DRAWS):
        rng = generator("distributions", number)
        made = draw(rng, config, label=0, foreground=foreground, own=own, backgrounds=None)
        rows.append((*made.size, *made.offset, *made.part[:2], made.sigma))
    return np.array(rows)


@functools.cache
def _defined(parameters: tuple[tuple[str, Any], ...], evaluation: bool, size: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng(17)
    settings = reference.Parameters(**dict(parameters))
    foreground = blob(*size)
    rows = []
    for _ in range(DRAWS):
        made = reference.place(foreground, CANVAS, RATIOS, settings, rng, training=not evaluation)
        rows.append((*made.size, *made.offset, *made.crop, made.radius))
    return np.array(rows)


def defined(parameters: dict[str, Any], *, evaluation: bool = False, size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """`DRAWS` x `STATISTICS` of the reference."""
    return _defined(tuple(parameters.items()), evaluation, size)


def assert_same_distribution(ours: Sequence[float], theirs: Sequence[float], what: str) -> None:
    from scipy.stats import ks_2samp

    if np.ptp(ours) == np.ptp(theirs) == 0:
        assert ours[0] == theirs[0], what
        return
    found = ks_2samp(ours, theirs, method="asymp")
    assert found.pvalue > 1e-4, (
        f"{what}: distance {found.statistic:.3f}, medians {np.median(ours)}, {np.median(theirs)}"
    )


pytest.importorskip("scipy")


@pytest.mark.parametrize("parameters", PARAMETERS, ids=name)
def test_sizes_positions_and_radii_follow_the_definition(parameters: dict[str, Any]) -> None:
    ours, theirs = library(parameters), defined(parameters)
    for column, what in enumerate(STATISTICS):
        assert_same_distribution(ours[:, column], theirs[:, column], what)


@pytest.mark.parametrize("parameters", [{}, {"fg_size_fact": 8.0}, {"fg_in_nonant": -1}], ids=name)
def test_evaluation_follows_the_definition(parameters: dict[str, Any]) -> None:
    ours, theirs = library(parameters, evaluation=True), defined(parameters, evaluation=True)
    for column, what in enumerate(STATISTICS):
        assert_same_distribution(ours[:, column], theirs[:, column], what)


@pytest.mark.parametrize("size", [(300, 20), (12, 200), (1, 1)], ids=str)
@pytest.mark.parametrize("fact", [1.0, 4.0])
def test_elongated_and_tiny_objects_follow_the_definition(size: tuple[int, int], fact: float) -> None:
    ours, theirs = (draws({"fg_size_fact": fact}, size=size) for draws in (library, defined))
    for column, what in enumerate(STATISTICS):
        assert_same_distribution(ours[:, column], theirs[:, column], what)


@pytest.mark.parametrize("parameters", [{}, {"rel_jut_out": 0.4}, {"fg_size_fact": 3.0}], ids=name)
def test_place_within_the_free_range_follows_the_definition(parameters: dict[str, Any]) -> None:
    """Relative to what the size leaves, which the absolute position alone would blur."""

    def relative(draws: np.ndarray) -> np.ndarray:
        free = np.array(CANVAS) - draws[:, 0:2]
        return (draws[:, 2:4] / np.where(np.abs(free) < 20, np.nan, free)).reshape(-1)

    ours, theirs = (relative(draws(parameters)) for draws in (library, defined))
    assert_same_distribution(ours[~np.isnan(ours)], theirs[~np.isnan(theirs)], "offset / free range")


def test_draws_do_not_depend_on_each_other() -> None:
    """Size, x, y and radius: the size is that of the object's area, and x and y relative to the free range."""
    draws = library({})
    free = np.array(CANVAS) - draws[:, 0:2]
    independent = np.column_stack([draws[:, 0] * draws[:, 1], draws[:, 2:4] / free, draws[:, 6]])
    correlations = np.corrcoef(independent, rowvar=False)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 0.08  # four standard errors of 3000 draws


@pytest.mark.parametrize("ratios", [(0.3, 0.1), (0.05, 0.6), (0.2, 0.0)], ids=str)
@pytest.mark.parametrize("mode", ["range", "min", "max", "mean"])
def test_area_of_the_object_stays_in_the_goal_interval(mode: str, ratios: tuple[float, float]) -> None:
    config = RecombinationConfig(fg_size_mode=mode, background_combination="orig")
    low, high = reference.goal_interval(*ratios, reference.Parameters(fg_size_mode=mode))
    coverage = float(np.mean(np.asarray(blob(120, 90).getchannel("A")) / 255))
    for number in range(300):
        foreground, own = ForegroundShape(120, 90, coverage, ratios[0]), BackgroundShape(None, *CANVAS, ratios[1])
        made = draw(generator(number), config, label=0, foreground=foreground, own=own, backgrounds=None)
        assert made.size is not None
        slack = (sum(made.size) + 1) / 2 * coverage  # what rounding both sides by half a pixel can change
        area = made.size[0] * made.size[1] * coverage
        assert low * 187500 - slack - 1 <= area <= high * 187500 + slack + 1


@pytest.mark.parametrize("cell", range(9))
@pytest.mark.parametrize("size", [(90, 90), (300, 20), (12, 200), (400, 1)], ids=str)
def test_the_object_lies_inside_of_its_nonant(cell: int, size: tuple[int, int]) -> None:
    config = RecombinationConfig(fg_in_nonant=cell, background_combination="orig", fg_size_mode="max")
    foreground, own = ForegroundShape(*size, 0.8, 0.5), BackgroundShape(None, *CANVAS, 0.6)
    left, top = cell % 3 * CANVAS[0] / 3, cell // 3 * CANVAS[1] / 3
    for number in range(200):
        made = draw(generator(number), config, label=0, foreground=foreground, own=own, backgrounds=None)
        x0, y0 = made.offset
        x1, y1 = x0 + made.part[2] - made.part[0], y0 + made.part[3] - made.part[1]
        assert x1 > x0
        assert y1 > y0
        # Cells have fractional edges; half a pixel is the rounding of the offset.
        assert left - 0.5 <= x0
        assert x1 <= left + CANVAS[0] / 3 + 0.5
        assert top - 0.5 <= y0
        assert y1 <= top + CANVAS[1] / 3 + 0.5


@pytest.mark.parametrize("fact", [0.3, 1.0, 30.0])
def test_without_jutting_out_the_object_lies_on_the_canvas(fact: float) -> None:
    draws = library({"fg_size_fact": fact})
    size = np.minimum(draws[:, 0:2], CANVAS)
    assert (draws[:, 2:4] >= 0).all()
    assert (draws[:, 2:4] + size <= CANVAS).all()


@pytest.mark.parametrize("jut", [0.2, 0.5])
def test_no_more_than_the_allowed_share_juts_out(jut: float) -> None:
    draws = library({"rel_jut_out": jut, "fg_bates_n": -3})
    size, offset = draws[:, 0:2], draws[:, 2:4]
    assert (offset >= -jut * size - 0.5).all()
    assert (offset + size <= CANVAS + jut * size + 0.5).all()
    assert (offset < 0).any()
    assert (offset + size > CANVAS).any()


@pytest.mark.parametrize("schedule", [0.0, 0.25, 1.0, "linear", "revlinear", "cos"])
def test_originals_are_as_frequent_as_the_schedule_says(schedule: float | str) -> None:
    config = RecombinationConfig(orig_img_prob=schedule, background_combination="orig")
    foreground, own = ForegroundShape(120, 90, 0.8, 0.3), BackgroundShape(None, *CANVAS, 0.3)
    for epoch in (0, 3, 9):
        expected = reference.original_probability(schedule, epoch, 10)
        probability = config.original_probability(epoch, 10)
        assert probability == pytest.approx(expected)
        shown = [
            draw(
                generator(schedule, epoch, number),
                config,
                label=0,
                foreground=foreground,
                own=own,
                backgrounds=None,
                original_probability=probability,
            ).original
            for number in range(1000)
        ]
        assert abs(np.mean(shown) - expected) <= 4 * (expected * (1 - expected) / 1000) ** 0.5
