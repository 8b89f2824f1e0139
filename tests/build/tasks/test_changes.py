"""What was changed in an image says where its foreground can have been."""

import io

import numpy as np
import pytest
from PIL import Image

from producers.tasks.changes import changed_box, covering


@pytest.fixture
def original(photos):
    return next(iter(photos.values())).image.convert("RGB")


def saved(image, kind="JPEG", **options):
    """An image as it is read back, and its file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Image.open(buffer), buffer.getvalue()


@pytest.mark.parametrize("options", [{"quality": 60}, {"quality": 90, "subsampling": 0}, {"kind": "PNG"}], ids=str)
def test_compression_is_no_change_and_the_changed_part_is_found(original, options):
    assert changed_box(original, *saved(original, **options)) is None
    changed = original.copy()
    changed.paste((0, 255, 0), (40, 48, 90, 80))
    assert np.abs(np.subtract(changed_box(original, *saved(changed, **options)), (40, 48, 90, 80))).max() <= 8


def test_the_changed_part_may_surround_the_object_by_the_reach_and_no_more():
    assert covering((10, 20, 40, 50), (0, 0, 10, 10), 15) == (15, 25, 26, 36)
    assert covering((10, 20, 40, 50), (5, 0, 15, 10), 15) == (10, 25, 21, 36)
    assert covering((10, 20, 40, 50), (0, 0, 10, 10), 9) is None
