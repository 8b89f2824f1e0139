import json

import pytest

from fornet_hf.errors import ConfigurationError
from producers.diffusion.concepts import Concepts
from producers.tuning.settings import TuningSettings

CONCEPTS = Concepts.of("cat")


def test_the_rate_is_constant_once_it_is_warmed_up():
    assert [TuningSettings(concepts=CONCEPTS, lr=1.0).rate(step) for step in range(4)] == [0.5, 1, 1, 1]
    assert [TuningSettings(concepts=CONCEPTS, lr=1.0, warmup=0).rate(step) for step in range(2)] == [1, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"side": 100},
        {"steps": 0},
        {"batch_size": 0},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"decay": 1.0},
        {"whole": 2.0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} is not allowed"):
        TuningSettings(concepts=CONCEPTS, **wrong)


def test_a_prompt_needs_words():
    with pytest.raises(ConfigurationError, match="the prompt of the background is not allowed"):
        TuningSettings(concepts=Concepts(object="a cat", background=" "))


def test_settings_go_to_json():
    values = json.loads(json.dumps(TuningSettings(concepts=CONCEPTS).to_json()))
    assert values["concepts"] == {"object": "a photo of a cat", "background": "a photo of a background"}
