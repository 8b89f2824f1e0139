import numpy as np
import pytest

from producers.detect.answers import confident, pixel_boxes
from producers.scene import Detection, Scene

PROMPTS = ("a cat.", "a dog.", "an owl.")


def scenes(*shapes):
    return [Scene(key=str(shape), raster=np.zeros((*shape, 3), np.uint8), prompts=PROMPTS) for shape in shapes]


def straightforward(scene, scores, boxes, threshold):
    """Box by box, with Python's numbers."""
    height, width = scene.raster.shape[:2]
    for prompt, row, places in zip(scene.prompts, scores.tolist(), boxes.tolist(), strict=True):
        for index in sorted(range(len(row)), key=lambda index: -row[index]):
            if row[index] > threshold:
                x, y, wide, high = places[index]
                x0 = min(max(int((x - wide / 2) * width), 0), width - 1)
                y0 = min(max(int((y - high / 2) * height), 0), height - 1)
                x1 = min(max(int((x + wide / 2) * width), x0 + 1), width)
                y1 = min(max(int((y + high / 2) * height), y0 + 1), height)
                yield Detection(box=(x0, y0, x1, y1), score=row[index], prompt=prompt)


@pytest.mark.parametrize("threshold", [-1.0, 0.5, 0.9, 1.0])
def test_answers_are_those_of_a_loop_over_all_boxes(threshold):
    rng = np.random.default_rng(1)
    asked = scenes((40, 100), (300, 7), (1, 1))
    scores = (rng.integers(0, 50, (3, 3, 200)) / 50).astype(np.float32)  # many are equal
    boxes = rng.normal(0.5, 0.5, (3, 3, 200, 4)).astype(np.float32)
    expected = [list(straightforward(*parts, threshold)) for parts in zip(asked, scores, boxes, strict=True)]
    assert confident(asked, scores, boxes, threshold) == expected


def test_boxes_may_be_the_same_for_all_prompts():
    scores = np.array([[[0.1, 0.9], [0.8, 0.2], [0.7, 0.6]]], np.float32)
    boxes = np.array([[[[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 1, 1]]]], np.float32)
    (found,) = confident(scenes((40, 100)), scores, boxes, 0.5)
    small, whole = (25, 10, 75, 30), (0, 0, 100, 40)
    assert [one.box for one in found] == [whole, small, small, whole]
    assert [one.prompt for one in found] == ["a cat.", "a dog.", "an owl.", "an owl."]
    assert found == confident(scenes((40, 100)), scores, boxes.repeat(3, 1), 0.5)[0]


def test_answers_are_plain_numbers():
    (found,) = confident(scenes((4, 4)), np.ones((1, 3, 1), np.float32), np.ones((1, 1, 1, 4), np.float32), 0.5)
    assert {type(side) for one in found for side in one.box} == {int}
    assert type(found[0].score) is float


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ((0.5, 0.5, 0.5, 0.5), (25, 10, 75, 30)),
        ((0.0, 0.0, 0.2, 0.2), (0, 0, 10, 4)),
        ((1.0, 1.0, 0.0, 0.0), (99, 39, 100, 40)),
        ((2.0, -1.0, 0.1, 0.1), (99, 0, 100, 1)),
    ],
)
def test_boxes_lie_in_the_image_and_are_not_empty(box, pixels):
    assert pixel_boxes(np.array([box], np.float32), np.array([[100, 40]])).tolist() == [list(pixels)]
