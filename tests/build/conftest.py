"""Small real images of the demo."""

import io
import itertools
import json
import os

import numpy as np
import pytest

from demo_pictures import demo_pictures
from tests.blocks import ROOT


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables for commands that run from this checkout, with a home of their own."""
    home = tmp_path_factory.mktemp("home")
    return {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def photos():
    """One image a class, 200 pixels wide or high, by WNID."""
    firsts = {}
    for one in demo_pictures():
        if one.wnid not in firsts:
            one.image.thumbnail((200, 200))
            firsts[one.wnid] = one
    return firsts


@pytest.fixture(scope="session")
def dahlia(photos):
    """Raster of the dahlia, and the disc that it fills: a hand-made mask."""
    raster = np.asarray(photos["n11939491"].image)
    y, x = np.ogrid[: raster.shape[0], : raster.shape[1]]
    scale = 200 / 640  # centre and radius were read off the photograph of 640 x 427
    disc = np.hypot(x - 308 * scale, y - 222 * scale) < 140 * scale
    return raster, disc


@pytest.fixture
def image_folder(tmp_path, photos):
    """A folder with 6 images, one of them damaged, and the file of their boxes."""
    root, boxes = tmp_path / "pictures", {}
    for index, one in enumerate(itertools.islice(photos.values(), 5)):
        split = "train" if index < 4 else "val"
        path = root / split / one.wnid / f"{one.key}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(one.image))
        boxes[one.key] = one.boxes
    damaged = min((root / "train").iterdir()) / "damaged.JPEG"
    damaged.write_bytes(b"\xff\xd8 this is no image")
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps(boxes))
    return root, file


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
