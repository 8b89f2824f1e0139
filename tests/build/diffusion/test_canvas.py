import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.errors import ConfigurationError
from producers.diffusion.canvas import Canvas
from producers.diffusion.shapes import LATENT

sizes = st.tuples(st.integers(1, 700), st.integers(1, 700))
sides = st.sampled_from([64, 192, 512])
grids = st.sampled_from([1, 8, 16, 64])


@pytest.mark.parametrize(
    ("size", "enlarge", "scaled"),
    [
        ((500, 375), True, (512, 384)),
        ((375, 500), True, (384, 512)),
        ((1024, 512), False, (512, 256)),
        ((500, 375), False, (500, 375)),
        ((256, 256), True, (512, 512)),
        ((1, 512), True, (1, 512)),
        ((1, 1000), True, (1, 512)),
    ],
)
def test_the_longer_side_fills_the_square(size, enlarge, scaled):
    assert Canvas.of(*size, 512, enlarge=enlarge).scaled == scaled


@pytest.mark.parametrize("side", [0, -64, 500, 8])
def test_sides_that_a_network_cannot_halve_are_refused(side):
    with pytest.raises(ConfigurationError, match="allowed: a multiple of 64"):
        Canvas.of(10, 10, side)


def test_the_image_lies_at_the_top_left_and_the_rest_is_minus_one():
    raster = np.full((30, 60, 3), 255, np.uint8)
    pixels = Canvas.of(30, 60, 64, enlarge=False).pixels(raster)
    assert pixels.shape == (3, 64, 64)
    assert (pixels[:, :30, :60] == 1).all()
    assert (pixels[:, 30:] == -1).all()
    assert (pixels[:, :, 60:] == -1).all()


def test_an_image_that_is_not_scaled_comes_back_exactly():
    raster = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
    canvas = Canvas.of(40, 64, 64)
    assert np.array_equal(canvas.raster(canvas.pixels(raster)), raster)


def test_a_smooth_image_survives_scaling():
    y, x = np.mgrid[:90, :130]
    raster = np.stack([y, x, x + y], -1).astype(np.uint8)
    canvas = Canvas.of(90, 130, 512)
    back = canvas.raster(canvas.pixels(raster))
    assert np.abs(back.astype(int) - raster).max() <= 1


@given(sizes, sides, grids)
def test_cells_are_those_that_pixels_of_the_image_lie_in(size, side, grid):
    canvas = Canvas.of(*size, side)
    inside = np.zeros((side, side), bool)
    inside[: canvas.scaled[0], : canvas.scaled[1]] = True
    rows, columns = np.nonzero(inside.reshape(grid, side // grid, grid, side // grid).any((1, 3)))
    assert canvas.cells(grid) == (rows.max() + 1, columns.max() + 1)


@given(sizes, sides, grids)
def test_a_pixel_gets_the_value_of_the_cell_below_its_centre(size, side, grid):
    canvas = Canvas.of(*size, side)
    values = np.arange(grid * grid).reshape(grid, grid)
    found = canvas.spread(values, grid)
    assert found.shape == size
    assert np.array_equal(found, canvas.spread(values[: canvas.cells(grid)[0], : canvas.cells(grid)[1]], grid))
    for y, x in {(0, 0), (size[0] - 1, 0), (size[0] // 2, size[1] // 3), (size[0] - 1, size[1] - 1)}:
        row = int((y + 0.5) * canvas.scaled[0] / size[0] * grid / side + 1e-9)
        column = int((x + 0.5) * canvas.scaled[1] / size[1] * grid / side + 1e-9)
        assert found[y, x] == values[row, column]


@given(sizes, sides, grids)
def test_values_are_fitted_to_where_the_image_is(size, side, grid):
    """A map that grows evenly over the canvas grows evenly over the raster, but for half a cell at its edges."""
    canvas = Canvas.of(*size, side)
    centres = (np.arange(grid, dtype=np.float32) + 0.5) / grid  # in sides of the canvas
    found = canvas.fitted(np.add.outer(10 * centres, centres), grid)
    assert found.shape == canvas.cells(grid)
    rows, columns = (
        np.clip((np.arange(count) + 0.5) / count * scaled / side, 0.5 / grid, None)
        for count, scaled in zip(found.shape, canvas.scaled, strict=True)
    )
    np.testing.assert_allclose(found, np.add.outer(10 * rows, columns), atol=1e-4)


@given(sizes, sides, grids, st.integers(0, 2**32 - 1))
def test_the_cells_of_a_pixel_are_those_which_it_overlaps(size, side, grid, seed):
    canvas = Canvas.of(*size, side)
    rng = np.random.default_rng(seed)
    y, x = int(rng.integers(size[0])), int(rng.integers(size[1]))
    mask = np.zeros(size, bool)
    mask[y, x] = True
    rows, columns = (
        [i for i in range(grid) if (i + 1) * n * side > a * s * grid and i * n * side < (a + 1) * s * grid]
        for a, n, s in zip((y, x), size, canvas.scaled, strict=True)
    )
    expected = np.zeros((grid, grid), bool)
    expected[np.ix_(rows, columns)] = True
    assert np.array_equal(canvas.touched(mask, grid), expected)


def test_a_mask_of_cells_survives_the_way_over_the_raster():
    canvas = Canvas.of(100, 70, 64)
    cells = np.zeros((8, 8), bool)
    cells[2:5, 1:3] = True
    assert np.array_equal(canvas.touched(canvas.spread(cells, 8), 8)[2:5, 1:3], cells[2:5, 1:3])


def test_a_full_mask_touches_the_cells_of_the_image_and_no_others():
    canvas = Canvas.of(333, 500, 512)
    grid = 512 // LATENT
    touched = canvas.touched(np.ones((333, 500), bool), grid)
    high, wide = canvas.cells(grid)
    assert touched[:high, :wide].all()
    assert touched.sum() == high * wide


def test_canvases_of_batches_are_tensors_on_the_device():
    assert Canvas.of(8, 8, 64).pixels(np.zeros((8, 8, 3), np.uint8), "cpu").dtype == torch.float32
