"""Answers have names and probabilities; without a classifier there is a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

pytest.importorskip("torch")

from answers import Judge, best, names_of
from fornet_hf.errors import ForNetError
from tests.space.colours import classifier

IMAGE = Image.new("RGB", (90, 60), (250, 120, 10))


def test_probabilities_are_those_of_the_network_and_classes_have_short_names():
    judge = Judge("tests.space.colours:classifier", [])
    (answer,) = judge.answers([IMAGE])
    assert sum(answer.values()) == pytest.approx(1)
    assert len(answer) == 1000
    assert "tench" in answer
    assert best({"a": 0.2, "b": 0.8}) == "b"


def test_other_images_have_other_answers():
    first, second = Judge("tests.space.colours:classifier", []).answers([IMAGE, Image.new("RGB", (90, 60))])
    assert best(first) != best(second)


def test_names_are_unique_and_the_network_s_own_come_first():
    one = replace(classifier(), names=("crane, bird", "crane, machine", "crane, machine", *map(str, range(997))))
    assert names_of(one, [])[:3] == ["crane", "crane, machine", "crane, machine (2)"]
    assert names_of(replace(classifier(), names=()), ["a", "b"])[0] == "tench"


def test_a_classifier_that_cannot_be_loaded_is_tried_once(monkeypatch):
    tried = []

    def failing(name):
        tried.append(name)
        raise ForNetError("no weights")

    monkeypatch.setattr("answers.load", failing)
    judge = Judge("timm:resnet18", [])
    for _ in range(2):
        with pytest.raises(ForNetError, match="no weights"):
            judge.answers([IMAGE])
    assert tried == ["timm:resnet18"]
