"""Presets, and the options that change them."""

import argparse
import dataclasses

import pytest

from fornet_hf.errors import ConfigurationError
from producers.distil.configuration import PRESETS, Training, add_options, asked


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return asked(parser.parse_args(words))


def test_presets_are_the_papers():
    concept, layers = parsed(), parsed("--preset", "layers")
    assert concept == PRESETS["concept"]
    assert (concept.widths, concept.classes, concept.bilinear) == ((64, 128, 256, 512, 1024), 1, False)
    assert (concept.side, concept.batch_size, concept.steps, concept.lr) == (128, 32, 12_000, 0.002)
    assert (layers.widths, layers.classes, layers.bilinear) == ((64, 128, 256, 512, 512), 2, True)
    assert (layers.side, layers.batch_size, layers.steps, layers.lr) == (64, 64, 6000, 0.001)
    assert [layers.rate(step) for step in (0, 3999, 4000, 5999)] == pytest.approx([1e-3, 1e-3, 2e-4, 2e-4])
    assert {concept.rate(step) for step in (0, 11_999)} == {0.002}


def test_every_value_of_a_preset_has_an_option():
    words = [
        *("--widths", "8,16", "--classes", "2", "--bilinear", "--side", "32", "--no-flip", "--colour", "0.3"),
        *("--steps", "7", "--batch-size", "4", "--lr", "0.1", "--decay", "0.5", "--decay-at", "3,5", "--seed", "9"),
        *("--weight-decay", "0.01", "--validation", "0.2", "--most", "50", "--every", "3"),
    ]
    assert parsed(*words) == Training(
        widths=(8, 16),
        classes=2,
        bilinear=True,
        side=32,
        flip=False,
        colour=0.3,
        steps=7,
        batch_size=4,
        lr=0.1,
        decay=0.5,
        decay_at=(3, 5),
        weight_decay=0.01,
        validation=0.2,
        most=50,
        every=3,
        seed=9,
    )
    encoder = parsed("--encoder", "resnet18", "--decoder", "fpn", "--encoder-weights", "imagenet")
    assert (encoder.network.encoder, encoder.network.decoder, encoder.network.multiple) == ("resnet18", "fpn", 32)
    assert {item.name for item in dataclasses.fields(Training)} <= {*vars(encoder)}


def test_numbers_that_are_none_are_told_with_an_example(capsys):
    with pytest.raises(SystemExit):
        parsed("--widths", "16,x")
    assert "argument --widths: '16,x' is not like 16,32,64" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--side", "100"], "--side; found 100; allowed: multiples of 16"),
        (["--steps", "0"], "--steps"),
        (["--lr", "0"], "--lr"),
        (["--lr", "nan"], "--lr"),
        (["--validation", "1"], "--validation"),
        (["--most", "1"], "--most"),
        (["--widths", "64,0"], "widths"),
        (["--classes", "3"], "classes"),
        (["--colour", "2"], "--colour"),
        (["--encoder-weights", "imagenet"], "--encoder-weights"),
        (["--encoder", "resnet18", "--decoder", "paint"], "decoder"),
    ],
)
def test_what_cannot_be_is_refused(words, message):
    with pytest.raises(ConfigurationError, match=message):
        parsed(*words)
