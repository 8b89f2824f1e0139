"""Parameters of mixing: what is allowed, and their way to JSON and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing.methods import METHODS, CutMixConfig, FMixConfig, MixConfig, MixUpConfig

COMMON = {"alpha": 0.2, "each": "image", "p": 0.5, "off_for_last": 10, "num_classes": 10, "label_smoothing": 0.1}
VALUES = [
    FMixConfig(**COMMON, decay=2, max_soft=0.1, legacy_spectrum=True, seed=3),
    CutMixConfig(**COMMON, correct_lam=False, labels="visible"),
    MixUpConfig(**COMMON, reformulate=True, bce=True),
]


@pytest.mark.parametrize("config", VALUES, ids=lambda config: config.method)
def test_to_json_and_back(config):
    value = json.loads(json.dumps(config.to_json()))
    assert value["method"] == config.method
    assert MixConfig.from_json(value) == config
    assert MixConfig.from_json({"method": config.method}) == type(config)()


def test_numpys_numbers_are_plain_ones():
    config = FMixConfig(alpha=np.float32(0.5), num_classes=np.int64(10), seed=np.int32(1))
    assert json.dumps(config.to_json())


@pytest.mark.parametrize("value", [None, {}, {"method": "mix"}, {"method": "mixup", "decay": 3}, {"method": []}])
def test_other_json_is_refused(value):
    with pytest.raises(ConfigurationError):
        MixConfig.from_json(value)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *((kind, name, value) for kind in METHODS.values() for name, value in (("alpha", 0), ("alpha", "1"))),
        *((MixUpConfig, "alpha", value) for value in (-1, float("nan"), float("inf"), True, None)),
        *((MixUpConfig, "each", value) for value in ("pair", 1, None)),
        *((MixUpConfig, "p", value) for value in (-0.1, 1.1, None)),
        *((MixUpConfig, "off_for_last", value) for value in (-1, float("nan"))),
        *((MixUpConfig, "num_classes", value) for value in (0, 2.0, True)),
        *((MixUpConfig, "label_smoothing", value) for value in (-0.1, 1.1)),
        *((MixUpConfig, "labels", value) for value in ("seen", None)),
        *((MixUpConfig, "seed", value) for value in (-1, 1.5, 2**64)),
        *((MixUpConfig, name, 1) for name in ("reformulate", "bce")),
        (CutMixConfig, "correct_lam", None),
        (FMixConfig, "decay", -1),
        (FMixConfig, "max_soft", 0.6),
        (FMixConfig, "legacy_spectrum", 1),
    ],
)
def test_values_that_are_not_allowed(kind, name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is not allowed; found"):
        kind(**{name: value})


def test_one_label_cannot_be_weighted_by_area():
    with pytest.raises(ConfigurationError, match=r"labels is not allowed.*reformulate"):
        MixUpConfig(labels="visible", reformulate=True)


def test_a_configuration_or_its_fields():
    assert MixUpConfig.of(None, {"alpha": 2}) == MixUpConfig(alpha=2)
    config = MixUpConfig(alpha=2)
    assert MixUpConfig.of(config, {}) is config
    for given, parameters in ((config, {"alpha": 2}), (FMixConfig(), {}), ({"alpha": 2}, {})):
        with pytest.raises(ConfigurationError, match="config is not allowed"):
            MixUpConfig.of(given, parameters)
    with pytest.raises(ConfigurationError, match="Did you mean alpha"):
        MixUpConfig.of(None, {"alfa": 1})


def test_hard_and_soft_methods():
    softs = [MixUpConfig().soft, CutMixConfig().soft, FMixConfig().soft, FMixConfig(max_soft=0.1).soft]
    assert softs == [True, False, False, True]
