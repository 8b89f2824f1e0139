"""Examples are chosen by what makes them telling, spread over the classes, and the same at every call."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fornet_hf.evaluation.answers.predictions import NOT_SHOWN, Predictions
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.report.examples import fooled, overlay, salient
from fornet_hf.evaluation.saliency.showing import Explained
from fornet_hf.evaluation.stimuli.protocol import Shown, View

CONDITIONS = ("original", "all")


class Plain:
    """Stimuli whose images have the item and the condition for their colour."""

    def shown(self, item: int, preprocessing: Preprocessing) -> Shown:
        return Shown([View(number, np.full((3, 8, 8), 10 * item + number, np.uint8)) for number in range(2)], {})


def predictions(
    rows: list[tuple[int, int, int, int, float]], conditions: tuple[str, str] = CONDITIONS
) -> Predictions:
    """Return answers from rows of class, answer on the original, answer on `all`, its background, probability."""
    labels, original, foreign, backgrounds, probability = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    return Predictions(
        conditions=conditions,
        keys=[f"key{item}" for item in range(count)],
        sources=[f"source{item}" for item in range(count)],
        labels=labels.astype(np.int64),
        class_names=["cat", "dog", "fish"],
        predicted=np.stack([original, foreign], 1).astype(np.int32),
        probability=np.stack([np.ones(count), probability], 1).astype(np.float32),
        backgrounds=np.stack([np.full(count, -1), backgrounds], 1).astype(np.int32),
        background_keys=np.array([["", f"background{item}"] for item in range(count)]),
        reasons={},
    )


def chosen(rows: list[tuple[int, int, int, int, float]], **more: int) -> list[str]:
    found = fooled(predictions(rows), Plain(), Preprocessing(), **more)
    return [example.key for example in found]


def test_an_example_says_what_happened():
    (example,) = fooled(predictions([(0, 0, 1, 1, 0.1)]), Plain(), Preprocessing())
    assert (example.label, example.predicted, example.background_label) == ("cat", "dog", "dog")
    assert (example.key, example.background_key) == ("key0", "background0")
    assert example.image.getpixel((0, 0)) == (1, 1, 1)
    assert example.right.getpixel((0, 0)) == (0, 0, 0)
    assert example.probability == pytest.approx(0.1)


def test_the_background_s_class_comes_first_then_the_surest_mistake():
    rows = [(0, 0, 2, 1, 0.01), (0, 0, 1, 1, 0.4), (0, 0, 1, 1, 0.2)]
    assert chosen(rows) == ["key2", "key1", "key0"]


def test_classes_come_in_turn():
    rows = [(0, 0, 1, 1, 0.1), (0, 0, 1, 1, 0.2), (1, 1, 2, 2, 0.5)]
    assert chosen(rows) == ["key0", "key2", "key1"]
    assert chosen(rows, cap=2) == ["key0", "key2"]


@pytest.mark.parametrize(
    "row",
    [
        (0, 0, 0, 1, 0.9),  # right
        (0, 1, 1, 1, 0.1),  # the object is never recognised
        (0, 0, NOT_SHOWN, 1, np.nan),
        (0, 0, 1, 0, 0.1),  # the background is of its class
    ],
    ids=["right", "never recognised", "not shown", "a background of its class"],
)
def test_others_fooled_nobody(row):
    assert chosen([row]) == []


def test_an_object_at_another_place_is_no_example():
    answers = predictions([(0, 0, 1, 1, 0.1)], ("original", "cell 0"))
    assert fooled(answers, Plain(), Preprocessing()) == []


def test_an_answer_that_is_none_of_the_classes_has_no_name():
    (example,) = fooled(predictions([(0, 0, NO_LABEL, 1, 0.1)]), Plain(), Preprocessing())
    assert example.predicted == ""


def test_an_overlay_keeps_the_colours_of_what_matters():
    image = Image.new("RGB", (8, 8), (200, 40, 40))
    importance = np.zeros((8, 8), np.float32)
    importance[:, :4] = 3
    shown = overlay(image, importance)
    assert shown.getpixel((0, 0)) == (200, 40, 40)
    red, green, blue = shown.getpixel((7, 7))
    assert red == green == blue < 60
    assert overlay(image, np.zeros((8, 8), np.float32)).getpixel((0, 0)) == (red, green, blue)


def test_each_method_explains_the_image():
    maps = {"gradcam": np.ones((8, 8), np.float32), "gradcam++": np.zeros((8, 8), np.float32)}
    one, other = salient([Explained("key", "cat", np.full((3, 8, 8), 90, np.uint8), maps)])
    assert (one.method, other.method) == ("gradcam", "gradcam++")
    assert one.overlay.tobytes() == one.image.tobytes() != other.overlay.tobytes()


@pytest.mark.parametrize("without", ["no_fg", "only_bg_b", "only_bg_t", "only_bg_i"])
def test_an_object_that_is_not_there_was_not_recognised(without):
    row = (0, 0, 1, 1, 0.1)
    assert fooled(predictions([row], conditions=(without, "mixed_rand")), Plain(), Preprocessing()) == []
    assert len(fooled(predictions([row], conditions=("only_fg", "mixed_rand")), Plain(), Preprocessing())) == 1
