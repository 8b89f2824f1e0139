import numpy as np
import torch

from producers.devices.placement import Placement
from producers.devices.stacks import stacks


def test_images_of_a_size_are_one_tensor_and_keep_their_numbers():
    rng = np.random.default_rng(1)
    rasters = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in [(4, 6), (6, 4), (4, 6), (4, 4)]]
    found = [*stacks(rasters, Placement())]
    assert [numbers.tolist() for numbers, _ in found] == [[0, 2], [1], [3]]
    for numbers, pixels in found:
        assert pixels.dtype == torch.float32
        for number, one in zip(numbers.tolist(), pixels, strict=True):
            assert np.array_equal(one.permute(1, 2, 0).numpy(), rasters[number])
