"""Boxes that are given beforehand."""

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from producers.detect.boxes import CentredBox, pixel_box, read_boxes
from producers.scene import Scene


def query(key, height=100, width=200):
    return Scene(key=key, raster=np.zeros((height, width, 3), np.uint8), prompts=("cat", "animal"))


def written(tmp_path, text):
    path = tmp_path / "boxes.json"
    path.write_text(text)
    return path


def test_boxes_of_a_key_are_scaled_to_its_raster(tmp_path):
    detector = read_boxes(written(tmp_path, '{"a": [[0.1, 0.2, 0.5, 1], [0, 0, 1, 1]]}'))
    found, none = detector.detect([query("a"), query("b")])
    assert [(one.box, one.score, one.prompt) for one in found] == [
        ((20, 20, 100, 100), 1.0, "cat"),
        ((0, 0, 200, 100), 1.0, "cat"),
    ]
    assert none == []


def test_the_identity_tells_files_apart(tmp_path):
    one = read_boxes(written(tmp_path, "{}")).identity
    other = read_boxes(written(tmp_path, '{"a": []}')).identity
    assert one.revision != other.revision


def test_a_centred_box():
    (found,) = CentredBox(0.5).detect([query("a")])
    assert [one.box for one in found] == [(50, 25, 150, 75)]


@pytest.mark.parametrize("box", [(0, 0, 0.001, 0.001), (0.999, 0.999, 1, 1)])
def test_a_tiny_box_is_a_pixel_inside_of_the_raster(box):
    x0, y0, x1, y1 = pixel_box(box, np.zeros((10, 20, 3), np.uint8))
    assert (x1 - x0, y1 - y0) == (1, 1)
    assert x1 <= 20
    assert y1 <= 10


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"a": 3}',
        '{"a": [[0, 0, 1]]}',
        '{"a": [[0.5, 0, 0.5, 1]]}',
        '{"a": [[0, 0, 1, 2]]}',
        '{"a": [[0, 0, 1, NaN]]}',
        '{"a": [[0, 0, 1, true]]}',
    ],
)
def test_a_file_of_another_form_is_an_error_which_names_it(tmp_path, text):
    with pytest.raises(ConfigurationError, match=r"boxes\.json"):
        read_boxes(written(tmp_path, text))
