"""Settings of a training of layers."""

import argparse
import dataclasses
import json

import pytest

from fornet_hf.errors import ConfigurationError
from producers.layers.settings import KINDS, PRESETS, LayerSettings, add_options, asked


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return asked(parser.parse_args(words))


def test_the_preset_for_gpus_is_the_papers():
    found = parsed()
    assert found == PRESETS["gpu"] == LayerSettings()
    assert (found.side, found.batch_size, found.kimg, found.steps) == (64, 32, 8000, 250_000)
    assert found.penalty == pytest.approx(0.0256)
    assert dataclasses.replace(found, side=128).penalty == pytest.approx(0.1024)
    assert (found.network.base, found.network.most) == (16384, 256)
    assert [found.independent(step) for step in (0, 12_499, 12_500, 249_999)] == [0.2, 0.2, 1, 1]


def test_all_presets_go_to_json_and_back():
    for preset in PRESETS.values():
        assert LayerSettings(**json.loads(json.dumps(dataclasses.asdict(preset)))) == preset


def test_the_average_has_the_half_life_that_is_asked_for_and_a_shorter_one_at_first():
    settings = LayerSettings(ema_kimg=4, batch_size=100, ramp=0.5)
    assert settings.decay(0) == 0
    assert settings.decay(10) ** 5 == pytest.approx(0.5)  # half of 1,000 images
    assert settings.decay(10_000) ** 40 == pytest.approx(0.5)
    assert dataclasses.replace(settings, ramp=None).decay(0) ** 40 == pytest.approx(0.5)
    assert LayerSettings(ramp=None).decay(0) ** (10_000 / 32) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("two-steps", [0.4, 0.4, 1, 1, 1]),
        ("cosine", [0.4, 0.4 + 0.6 * 0.0244717, 0.4 + 0.6 * 0.0954915, 0.7, 1]),
        ("cool-down", [0.4, 0.4, 1, 1, 1]),
    ],
)
def test_schedules_stretch_with_the_training(schedule, shares):
    for kimg in (100, 1000):
        settings = LayerSettings(schedule=schedule, first=0.4, turn=0.2, sigma=3, kimg=kimg, batch_size=100)
        steps = [int(share * settings.steps) for share in (0, 0.1, 0.2, 0.5, 1)]
        assert [settings.independent(step) for step in steps] == pytest.approx([3 * one for one in shares], abs=1e-5)


def test_a_cool_down_is_on_for_a_quarter_of_each_tenth():
    settings = LayerSettings(schedule="cool-down", turn=0)
    found = [settings.independent(step) for step in range(0, settings.steps, 250)]
    assert {*found} == {0, 1}
    assert sum(found) == pytest.approx(250, abs=10)
    assert found[:100] == [1] * 25 + [0] * 75


def test_a_learned_bound_counts_less_and_none_does_not_count():
    last = {kind: LayerSettings(independence=kind).independent(249_999) for kind in KINDS}
    assert last == {
        "laplace": 1,
        "gaussian": 1,
        "distance": 1,
        "learned-laplace": 0.001,
        "learned-gaussian": 0.001,
        "none": 0,
    }
    assert LayerSettings(independence="learned-laplace", sigma=2).independent(249_999) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--side", "48"], "side is not allowed; found 48"),
        (["--kimg", "0"], "--kimg; found 0"),
        (["--lr", "nan"], "--lr"),
        (["--least", "0.5", "--most", "0.4"], "--most; found 0.4; allowed: above --least"),
        (["--shift", "-1"], "--shift"),
        (["--augment", "1"], "--augment"),
        (["--fid", "1"], "--fid"),
        (["--sigma", "-1"], "--sigma"),
        (["--binary", "inf"], "--binary"),
        (["--ramp", "0"], "--ramp"),
    ],
)
def test_what_cannot_be_is_refused(words, message):
    with pytest.raises(ConfigurationError, match=message):
        parsed(*words)
