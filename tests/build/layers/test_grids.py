"""Sheets of samples."""

import numpy as np
from PIL import Image

from fornet_hf.preview import CELL
from producers.layers.grids import write_grid
from producers.layers.written import Sample


def sample(*levels):
    image, mask, foreground, background = levels
    return Sample(
        np.full((16, 16, 3), image, np.uint8),
        np.full((16, 16), mask, np.uint8),
        np.full((16, 16, 3), foreground, np.uint8),
        np.full((16, 16, 3), background, np.uint8),
    )


def test_each_row_shows_image_foreground_mask_and_background(tmp_path):
    write_grid(tmp_path / "progress" / "a.png", [sample(10, 60, 110, 160), sample(20, 70, 120, 170)], {"kimg": 4})
    page = np.asarray(Image.open(tmp_path / "progress" / "a.png").convert("L")).astype(int)
    row = page[30 + CELL[1] // 2]
    found = [level for at, level in enumerate(row[:-1]) if level != row[at + 1] and level not in (255, 0)]
    assert found == [10, 110, 60, 160, 20, 120, 70, 170]
