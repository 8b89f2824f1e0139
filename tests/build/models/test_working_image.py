import numpy as np
import pytest
import torch

from producers.devices.placement import Placement
from producers.diffusion.shapes import working_shape
from producers.infill.working_image import enlarged, pasted


@pytest.fixture
def asked():
    rng = np.random.default_rng(2)
    images = []
    for number, size in enumerate([(50, 70), (60, 90), (50, 70)]):
        hole = np.zeros(size, bool)
        hole[10 : 30 + number, 20:40] = True
        images.append((rng.integers(0, 256, (*size, 3), dtype=np.uint8), hole))
    return images


def test_images_of_several_sizes_are_those_of_one_at_a_time(asked):
    together = enlarged(asked, (64, 96), Placement(), latent=8)
    alone = [enlarged([one], (64, 96), Placement(), latent=8) for one in asked]
    for many, single in zip(together, map(torch.cat, zip(*alone, strict=True)), strict=True):
        torch.testing.assert_close(many, single)
    images, masks = together
    assert (images.shape, masks.shape) == ((3, 3, 64, 96), (3, 1, 64, 96))
    assert images[0, :, 26, 40].max() == 0  # black where the hole is
    assert masks.unique().tolist() == [0, 1]


def test_a_thin_hole_does_not_vanish():
    hole = np.zeros((60, 90), bool)
    hole[20, 10:40] = True
    _, masks = enlarged([(np.zeros((60, 90, 3), np.uint8), hole)], (64, 96), Placement(), latent=8)
    cells = masks[0, 0].reshape(8, 8, 12, 8).permute(0, 2, 1, 3).flatten(2)
    assert torch.equal(cells.amin(2), cells.amax(2))  # constant over each latent value
    assert cells.amax(2).nonzero().tolist() == [[2, column] for column in range(1, 6)]


def test_answers_go_into_their_own_holes(asked):
    made = torch.stack([torch.full((3, 64, 96), level) for level in (0.2, 0.4, 0.6)])
    for (raster, hole), filled, level in zip(asked, pasted(asked, made, 2), (51, 102, 153), strict=True):
        assert np.array_equal(filled[~hole], raster[~hole])
        assert (filled[15:25, 25:35] == level).all()
        assert (filled[hole] != raster[hole]).mean() > 0.5


@pytest.mark.parametrize(
    ("size", "multiple", "working"),
    [
        ((375, 500), 32, (768, 1024)),
        ((500, 334), 32, (1024, 672)),
        ((500, 334), 16, (1024, 688)),
        ((9, 500), 32, (32, 1024)),
    ],
)
def test_working_images_keep_their_shape_in_multiples(size, multiple, working):
    assert working_shape(*size, side=1024, multiple=multiple) == working
