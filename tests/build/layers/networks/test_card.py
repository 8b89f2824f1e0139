"""The form of a generator: channels, JSON, values that are refused."""

import dataclasses
import json

import pytest

from fornet_hf.errors import ConfigurationError
from producers.layers.networks.card import GeneratorCard, LayerSpec

CARD = GeneratorCard(network=LayerSpec(side=128, clamp=None), trained={"kimg": 20})


def test_channels_fall_with_the_resolution():
    spec = LayerSpec(side=256)
    assert spec.resolutions == (4, 8, 16, 32, 64, 128, 256)
    assert [spec.channels(side) for side in spec.resolutions] == [256, 256, 256, 256, 256, 128, 64]


def test_a_card_is_a_value_that_goes_to_json_and_back():
    assert GeneratorCard.from_json(json.dumps(CARD.to_json())) == CARD
    assert dataclasses.replace(CARD, trained={}) != CARD


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 48}, "side is not allowed"),
        ({"side": 512}, "side is not allowed"),
        ({"side": 64.0}, "side is not allowed"),
        ({"latent": 0}, "latent is not allowed"),
        ({"style": 10**9}, "style is not allowed"),
        ({"mapping": True}, "mapping is not allowed"),
        ({"most": 0}, "most is not allowed"),
        ({"base": 32}, "base is not allowed"),
        ({"mask_bias": float("inf")}, "mask_bias is not allowed"),
        ({"clamp": 0}, "clamp is not allowed"),
        ({"code": "import os"}, "LayerSpec is not allowed"),
    ],
)
def test_a_form_that_cannot_be_is_refused(change, message):
    text = json.dumps({"format": 1, "network": {**dataclasses.asdict(LayerSpec()), **change}})
    with pytest.raises(ConfigurationError, match=message):
        GeneratorCard.from_json(text)


@pytest.mark.parametrize(
    "text", ["", "3", '{"format": 2}', '{"format": 1}', '{"format": 1, "network": {}, "trained": 4}']
)
def test_a_card_that_is_none_is_refused(text):
    with pytest.raises(ConfigurationError):
        GeneratorCard.from_json(text)
