"""Prepared rows and their cutouts."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.masks import decode_mask
from fornet_hf.format.patch import apply_patch
from fornet_hf.format.rows import cutout, open_image
from tests.images import ENCODING, disc, file_of, patch_of
from tests.images import made_image as sample

SOURCE = file_of(sample(90, 70))
ROW = apply_patch(SOURCE, patch_of(SOURCE), ENCODING)


def forms():
    row = dataclasses.asdict(ROW)
    decoded = {name: Image.open(io.BytesIO(row[name])) for name in ("foreground", "mask")}
    return {
        "bytes": row,
        "dicts": {**row, **{n: {"bytes": row[n], "path": None} for n in decoded}},
        "decoded": {**row, **decoded},
    }


@pytest.mark.parametrize("form", ["bytes", "dicts", "decoded"])
def test_the_cutout_is_transparent_outside_of_the_mask(form):
    result = np.asarray(cutout(forms()[form]))
    x0, y0, x1, y1 = ROW.box
    assert np.array_equal(result[..., 3] > 0, disc(90, 70)[y0:y1, x0:x1])
    assert np.array_equal(result[..., 3] > 0, decode_mask(ROW.mask, (x1 - x0, y1 - y0)))
    assert np.array_equal(result[..., :3], np.asarray(Image.open(io.BytesIO(ROW.foreground))))


@pytest.mark.parametrize("row", [{}, {"foreground": None, "mask": None}, {"image": 1, "label": 2}])
def test_rows_without_foreground_say_so(row):
    with pytest.raises(ConfigurationError, match="no foreground"):
        cutout(row)


def test_other_values_are_no_images():
    with pytest.raises(ConfigurationError, match="found int"):
        open_image(5)
