"""Parameters of alternating methods: their way to JSON, back, and to mixers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing import AlternateConfig, CutMixConfig, FMixConfig, MixConfig, MixUpConfig
from fornet_hf.mixing.methods import METHODS

TEN = {"num_classes": 10, "label_smoothing": 0.1}
INNER = AlternateConfig(methods=(MixUpConfig(**TEN), None), by="batch")
CONFIG = AlternateConfig(
    methods=(FMixConfig(**TEN, decay=2), INNER, None), p=(0.5, 0.25, 0.25), off_for_last=3, seed=1
)


def test_to_json_and_back():
    assert AlternateConfig.from_json(json.loads(json.dumps(CONFIG.to_json()))) == CONFIG
    assert CONFIG.alike == {**TEN, "bce": False}


def test_numpys_numbers_and_lists_are_plain():
    config = AlternateConfig(methods=[MixUpConfig(), None], p=np.array([0.5, 0.5]), seed=np.int64(3))
    assert config == AlternateConfig(methods=(MixUpConfig(), None), p=(0.5, 0.5), seed=3)


@pytest.mark.parametrize(
    "value", [{}, {"methods": []}, {"methods": [{"method": "mix"}]}, {"method": "fmix"}, {"q": 1}]
)
def test_other_json_is_refused(value):
    with pytest.raises(ConfigurationError):
        AlternateConfig.from_json(value)


@pytest.mark.parametrize("method", METHODS)
def test_the_mixer_of_a_configuration(method):
    torch = pytest.importorskip("torch")
    from fornet_hf.mixing import mixer_of

    config = MixConfig.from_json({"method": method, "seed": 0})
    mixer = mixer_of(config)
    assert mixer.config is config
    images, masks = torch.rand(4, 3, 8, 8), torch.zeros(4, 1, 8, 8)
    assert torch.equal(mixer.mixed(images, masks=masks).images, mixer_of(config).mixed(images, masks=masks).images)


def test_the_mixer_of_several_configurations():
    torch = pytest.importorskip("torch")
    from fornet_hf.mixing import Alternate, FMix, MixUp, mixer_of

    images, labels = torch.rand(4, 3, 8, 8), torch.arange(4)
    inner = Alternate([MixUp(**TEN), None], by="batch")
    built = Alternate([FMix(**TEN, decay=2), inner, None], p=[0.5, 0.25, 0.25], off_for_last=3, seed=1, epochs=9)
    assert built.config == CONFIG
    made = mixer_of(CONFIG, epochs=9)
    for _ in range(8):
        assert all(torch.equal(a, b) for a, b in zip(made(images, labels), built(images, labels), strict=True))


def test_other_configurations_have_no_mixer():
    pytest.importorskip("torch")
    from fornet_hf.mixing import mixer_of

    for config in (MixConfig(), None):
        with pytest.raises(ConfigurationError, match="config is not allowed"):
            mixer_of(config)


def test_a_method_has_no_seed_of_its_own():
    with pytest.raises(ConfigurationError, match="seed is not allowed"):
        AlternateConfig(methods=(CutMixConfig(seed=1), None))
