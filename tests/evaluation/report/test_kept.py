"""Examples are kept in files, and read again from folders that others may have made."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from fornet_hf.evaluation.report.examples import SaliencyExample
from fornet_hf.evaluation.report.kept import FILE, FOLDER, read_examples, write_examples
from tests.evaluation.results.test_results import ORIGIN

IMAGES = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]


@pytest.fixture
def kept(tmp_path):
    """A folder with one example, and the row that names its images."""
    image, overlay = IMAGES
    example = SaliencyExample(method="gradcam", image=image, overlay=overlay, key="key", label="cat")
    write_examples(tmp_path, {ORIGIN: [example]})
    (row,) = json.loads((tmp_path / FOLDER / FILE).read_text())
    return tmp_path, row


def test_examples_are_read_again(kept):
    folder, _ = kept
    ((origin, (example,)),) = read_examples(folder).items()
    assert (origin, example.method, example.key, example.label) == (ORIGIN, "gradcam", "key", "cat")
    assert example.image.getpixel((4, 4))[0] > 200
    assert example.overlay.getpixel((4, 4))[0] < 50


@pytest.mark.parametrize("name", ["../outside.jpg", "", 7, [1], "no\0file"])
def test_images_outside_the_folder_are_not_read(kept, name):
    folder, row = kept
    IMAGES[0].save(folder / "outside.jpg")
    (folder / FOLDER / FILE).write_text(json.dumps([{**row, "image": name}]))
    assert read_examples(folder) == {}


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"GIF89a" + bytes(8)])
def test_damaged_images_are_left_out(kept, content):
    folder, row = kept
    (folder / FOLDER / row["overlay"]).write_bytes(content)
    assert read_examples(folder) == {}


def test_an_image_that_claims_too_many_pixels_is_left_out(kept):
    folder, row = kept
    path = folder / FOLDER / row["overlay"]
    path.write_bytes(b"BM" + bytes(8) + (26).to_bytes(4, "little") + (12).to_bytes(4, "little") + b"\xff\xff" * 4)
    assert read_examples(folder) == {}
