"""Settings of learned bounds: validated, and back from JSON as they were."""

import json
from dataclasses import asdict

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.independence.configuration import EstimatorConfig


def test_settings_come_back_from_json():
    config = EstimatorConfig(estimator="mine", critic="images", others=4, device="cpu")
    assert EstimatorConfig(**json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("estimator", "nwj"), ("critic", "deep"), ("batch", 2), ("others", 0), ("steps", 1.5), ("folds", 1)],
        *[("rate", 0.0), ("rate", float("nan")), ("average", 0.0), ("average", 1.5), ("seed", -1), ("width", None)],
    ],
)
def test_what_is_not_allowed_is_refused(name, value):
    with pytest.raises(ConfigurationError, match=name):
        EstimatorConfig(**{name: value})
