"""Settings of saliency: JSON and back, and refusals."""

import dataclasses
import json

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig


def test_settings_go_to_json_and_back():
    config = SaliencyConfig(methods=["gradcam++"], layer="layer3", steps=7, baseline="mean", sign="positive")
    assert SaliencyConfig(**json.loads(json.dumps(dataclasses.asdict(config)))) == config


@pytest.mark.parametrize(
    "options",
    [
        {"methods": []},
        {"methods": ["gradcam", "gradcam"]},
        {"methods": ["lime"]},
        {"steps": 0},
        {"steps": True},
        {"steps": 2.0},
        {"baseline": "white"},
        {"explained": "both"},
        {"sign": "negative"},
    ],
)
def test_what_is_not_allowed_is_named(options):
    (name,) = options
    with pytest.raises(ConfigurationError, match=rf"saliency\.{name} is not allowed; found .*; allowed: "):
        SaliencyConfig(**options)
