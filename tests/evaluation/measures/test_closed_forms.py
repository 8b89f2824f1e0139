"""Models that read colours, through the whole of an evaluation: from rows over pixels and answers to measures.

Objects have a bright colour by class, backgrounds a dark one. So a model can see the one and not the other, and its
measures are known beforehand.
"""

from __future__ import annotations

import io
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from fornet_hf.evaluation.answers.predicting import Subject, predict_all
from fornet_hf.evaluation.choosing import KINDS
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.measures.sensitivity import Sensitivity
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.stimuli.rows import Rows
from fornet_hf.features import row_features
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.patch import apply_patch, make_patch
from tests.evaluation.fakes import all_outputs
from tests.factory import columns, ellipse

torch = pytest.importorskip("torch")

CLASSES = ["red", "green", "blue"]
CONFIG = EvaluationConfig(sizes=(0.5, 1, 1.5), batch_size=64, workers=1, seed=4)
_BRIGHT, _DARK = 240, 110


def coloured(index: int) -> dict[str, Any]:
    """A row: an ellipse in the bright colour of its class, on the dark one."""
    label, rng = index % 3, np.random.default_rng(index)
    size = (160, 128) if index % 2 else (128, 176)
    half = 0.2 + 0.06 * rng.random()
    mask = ellipse(size, (*(0.3 + 0.4 * rng.random(2)), half, half))
    background = np.zeros((size[1], size[0], 3), np.uint8)
    background[..., label] = _DARK
    image = background.copy()
    image[mask, label] = _BRIGHT
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95, subsampling=0)
    encoding = Encoding(max_side=512, dilation=8)
    patch = make_patch(buffer.getvalue(), mask, background, key=f"image {index:03}", label=label, encoding=encoding)
    return columns(apply_patch(buffer.getvalue(), patch, encoding))


class Reader(torch.nn.Module):
    """A model that knows objects and backgrounds by their brightness; what it answers with is left open."""

    def forward(self, images):
        brightest = images.amax(1)
        bright, dark = brightest > 0.7, (brightest > 0.2) & (brightest < 0.6)
        found = self.answers(images, self.most(images, bright), self.most(images, dark), bright, dark)
        return torch.nn.functional.one_hot(found, 3).float()

    def most(self, images, where):
        """Return the colour that these pixels have most of."""
        return (images * where[:, None]).sum((2, 3)).argmax(1)


class Foreground(Reader):
    def answers(self, images, object_colour, background_colour, bright, dark):
        return object_colour


class Background(Reader):
    def answers(self, images, object_colour, background_colour, bright, dark):
        return background_colour


class Middle(Reader):
    """Right where most of the object is in the ninth in the middle."""

    def answers(self, images, object_colour, background_colour, bright, dark):
        third = images.shape[-1] // 3
        inside = bright[:, third:-third, third:-third].sum((1, 2)) * 2 > bright.sum((1, 2))
        return torch.where(inside, object_colour, (object_colour + 1) % 3)


class Clean(Reader):
    """Right where there is no noise on one part: where the two other colours are absent."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def answers(self, images, object_colour, background_colour, bright, dark):
        others = images.sum(1) - images.amax(1)
        where = bright if self.part == "object" else ~bright
        noise = (others * where).sum((1, 2)) / where.sum((1, 2))
        return torch.where(noise < 0.06, object_colour, (object_colour + 1) % 3)


class Constant(Reader):
    def answers(self, images, object_colour, background_colour, bright, dark):
        return torch.zeros_like(object_colour)


MODELS = {
    "foreground": Foreground(),
    "background": Background(),
    "middle": Middle(),
    "clean object": Clean("object"),
    "clean background": Clean("background"),
    "constant": Constant(),
}


@pytest.fixture(scope="module")
def measured():
    """The values of each model by measure and part, and its answers."""
    dataset = datasets.Dataset.from_list([coloured(index) for index in range(24)], features=row_features(CLASSES))
    kinds = [*(KINDS[name](CONFIG) for name in ("accuracy", "background", "centre", "size"))]
    kinds.append(Sensitivity(CONFIG, (30,)))
    conditions = {name: condition for kind in kinds for name, condition in kind.conditions.items()}
    plain = Preprocessing(size=64, mean=(0.0,) * 3, std=(1.0,) * 3)
    models = [Classifier(name=n, revision="", network=model, preprocessing=plain) for n, model in MODELS.items()]
    rows = Rows(dataset, conditions, seed=CONFIG.seed)
    answers = predict_all([Subject(model, all_outputs()) for model in models], rows, CONFIG)
    found = {}
    for name, predictions in zip(MODELS, answers, strict=True):
        values = [value for kind in kinds for value in kind.values(predictions, Bootstrap(CONFIG.seed, 100))]
        found[name] = {(value.measure, value.part): value for value in values}, predictions
        assert len(found[name][0]) == len(values), "two values of one name"
    return found


def test_a_model_that_sees_only_the_object(measured):
    values, answers = measured["foreground"]
    assert values["background_robustness", ""].value == 1
    assert values["centre_bias", ""].value == 0
    assert {values["size_bias", f"size {factor}"].value for factor in ("0.5", "1.5")} == {1}
    assert {values["accuracy", name].value for name in answers.conditions} == {1}
    assert values["centre_bias", ""].n > 15


def test_a_model_that_sees_only_the_background(measured):
    values, answers = measured["background"]
    column = answers.columns("all")[0]
    shown = np.where(answers.backgrounds[:, column] < 0, answers.labels, answers.backgrounds[:, column])
    share = (shown == answers.labels).mean()
    assert values["accuracy", "same"].value == values["accuracy", "original"].value == 1
    assert values["background_robustness", ""].value == share
    assert values["background_robustness", ""].low < 1 / 3 < values["background_robustness", ""].high
    assert values["centre_bias", ""].value == 0  # the same backgrounds in all cells
    assert values["size_bias", "size 0.5"].value == 1


def test_a_model_that_is_right_only_in_the_centre(measured):
    values, _ = measured["middle"]
    assert values["centre_bias", ""].value == values["centre_bias", "means"].value == 1
    assert [values["accuracy", f"cell {number}"].value for number in range(9)] == [0, 0, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(("part", "sensitivity"), [("object", 1), ("background", -1)])
def test_a_model_that_one_part_must_be_clean_for(measured, part, sensitivity):
    values, _ = measured[f"clean {part}"]
    assert values["relative_foreground_sensitivity", "noise 30"].value == sensitivity


def test_a_constant_model(measured):
    values, _ = measured["constant"]
    assert values["accuracy", "all"].value == pytest.approx(1 / 3)
    assert values["background_robustness", ""].value == 1
    assert values["centre_bias", ""].value == 0
