"""What the library pastes is what the definition pastes: pixels, masks, areas."""

from __future__ import annotations

import functools
import io
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.photos import prepared_rows
from fornet_hf.format.rows import Row, cutout
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from fornet_hf.recombination.draw.rng import generator
from fornet_hf.recombination.draw.sampling import BackgroundShape, ForegroundShape, draw
from fornet_hf.recombination.pixels.compositing import compose
from fornet_hf.recombination.pixels.cutout import Cutout
from tests.recombination import reference

pytest.importorskip("skimage")
pytest.importorskip("sklearn")
EROSION = {2.0: 0.986, 4.0: 0.973, 8.0: 0.947}  # mean area achieved / goal, at goal 0.2 on 500 x 375


def drawn(row: Row, background: Row, number: int, **parameters: object) -> Composition:
    """The composition of the `number`-th draw of `row` on `background`."""
    config = RecombinationConfig(background_combination="orig", **parameters)
    canvas = Image.open(io.BytesIO(background.background)).size
    own = BackgroundShape(None, *canvas, background.foreground_ratio)
    rng = generator("pixels", number)
    return draw(rng, config, label=0, foreground=shape(row), own=own, backgrounds=None)


@functools.cache
def shape(row: Row) -> ForegroundShape:
    return Cutout.of_bytes(row.foreground, row.mask, row.foreground_ratio).shape


def as_defined(row: Row, background: Row, composition: Composition) -> tuple[np.ndarray, np.ndarray]:
    """Image and mask which the reference makes of the same composition."""
    placement = reference.Placement(
        0.0, composition.size, composition.part[:2], composition.offset, composition.sigma
    )
    canvas = Image.open(io.BytesIO(background.background)).convert("RGB")
    image, mask = reference.paste(reference.tight(cutout(asdict(row))), canvas, placement)
    return np.asarray(image), np.asarray(mask)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB."""
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


@pytest.fixture(scope="module")
def rows() -> tuple[Row, ...]:
    return prepared_rows()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"rel_jut_out": 0.6}, {"fg_in_nonant": 6}, {"fg_size_fact": 6.0}, {"mask_smoothing_sigma": 0.5}],
    ids=str,
)
def test_pixels_and_mask_are_those_of_the_definition(rows: tuple[Row, ...], parameters: dict[str, object]) -> None:
    for number in range(24):
        row, background = rows[number % 8], rows[number // 3]
        composition = drawn(row, background, number, **parameters)
        image, mask = compose(row, background.background, composition)
        expected, expected_mask = as_defined(row, background, composition)
        assert psnr(np.asarray(image), expected) > 30  # resizing filters differ, geometry does not
        assert psnr(np.asarray(mask), expected_mask) > 30
        assert abs(np.mean(mask) - np.mean(expected_mask)) < 0.01 * np.mean(expected_mask) + 0.05


def test_areas_of_pasted_masks_are_distributed_as_defined(rows: tuple[Row, ...]) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng, ours, theirs = np.random.default_rng(3), [], []
    for number in range(320):
        row, background = rows[number % 8], rows[number // 8 % 8]
        ours.append(np.mean(compose(row, background.background, drawn(row, background, number))[1]))
        foreground = reference.tight(cutout(asdict(row)))
        ratios = row.foreground_ratio, background.foreground_ratio
        placement = reference.place(foreground, (500, 375), ratios, reference.Parameters(), rng)
        visible = foreground.getchannel("A").resize(placement.size)
        left, top = placement.crop
        width, height = placement.visible((500, 375))
        visible = visible.crop((left, top, left + width, top + height))
        theirs.append(np.sum(reference.feather(visible, placement.radius)) / 187500)
    assert stats.ks_2samp(ours, theirs, method="asymp").pvalue > 1e-4


@pytest.mark.parametrize(("sigma", "share"), EROSION.items())
def test_the_feather_erodes_the_object_as_much_as_it_should(
    rows: tuple[Row, ...], sigma: float, share: float
) -> None:
    compact = [row for row in rows if row.key != "rocket"]  # which is larger than the image at this area
    achieved, defined = [], []
    for number in range(140):
        row = replace(compact[number % 7], foreground_ratio=0.2)
        composition = drawn(row, row, number, mask_smoothing_sigma=sigma, fg_scale_jitter=0.0)
        achieved.append(np.mean(compose(row, row.background, composition)[1]) / 255 / 0.2)
        defined.append(np.mean(as_defined(row, row, composition)[1]) / 255 / 0.2)
    assert np.mean(achieved) == pytest.approx(share, abs=0.004)
    assert np.mean(achieved) == pytest.approx(np.mean(defined), abs=0.001)


@pytest.mark.parametrize("fact", [1.0, 0.02], ids=["large", "of about 32 pixels"])
def test_without_a_feather_the_area_is_the_goal(rows: tuple[Row, ...], fact: float) -> None:
    """The definition's contrast would take half of each antialiased edge, of small objects a twentieth."""
    compact = [row for row in rows if row.key != "rocket"]
    achieved = []
    for number in range(28):
        row = replace(compact[number % 7], foreground_ratio=0.2)
        parameters = {"mask_smoothing_sigma": 0.0, "fg_scale_jitter": 0.0, "fg_size_fact": fact}
        mask = compose(row, row.background, drawn(row, row, number, **parameters))[1]
        achieved.append(np.mean(mask) / 255 / 0.2 / fact)
    assert np.mean(achieved) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("parameters", [{}, {"rel_jut_out": 1.0}, {"fg_in_nonant": 2}], ids=str)
def test_outside_of_the_mask_no_pixel_of_the_background_changes(
    rows: tuple[Row, ...], parameters: dict[str, object]
) -> None:
    for number in range(40):
        row, background = rows[number % 8], rows[number // 5]
        image, mask = compose(row, background.background, drawn(row, background, number, **parameters))
        plain = np.asarray(Image.open(io.BytesIO(background.background)).convert("RGB"))
        outside = np.asarray(mask) == 0
        assert outside.any()
        assert np.array_equal(np.asarray(image)[outside], plain[outside])


@pytest.mark.parametrize("cell", range(9))
def test_the_pasted_mask_lies_inside_of_its_nonant(rows: tuple[Row, ...], cell: int) -> None:
    left, top = cell % 3 * 500 / 3, cell // 3 * 375 / 3
    inside = np.zeros((375, 500), np.bool_)
    inside[int(top) : int(np.ceil(top + 125)), int(left) : int(np.ceil(left + 500 / 3))] = True
    for number in range(16):
        row, background = rows[number % 8], rows[number // 2]
        composition = drawn(row, background, number, fg_in_nonant=cell, fg_size_mode="max")
        _, mask = compose(row, background.background, composition)
        assert np.any(mask)
        assert not np.asarray(mask)[~inside].any()
