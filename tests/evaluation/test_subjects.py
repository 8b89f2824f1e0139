from __future__ import annotations

import json

import pytest

from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.evaluation import Classifier
from fornet_hf.evaluation.data.folders import ImagesData
from fornet_hf.evaluation.models.classifier import in_float32
from fornet_hf.evaluation.subjects import subjects_of
from tests.evaluation.fakes import SMALL, brightness, convolutions

torch = pytest.importorskip("torch")

DATA = ImagesData(name="d", split="validation", images=[], class_names=["red", "green", "blue"], fingerprint="")


def network(outputs=3):
    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, outputs))


def names(models, **options):
    return [subject.classifier.name for subject in subjects_of(models, DATA, **options)]


def test_networks_are_models_with_the_preprocessing_that_is_stated():
    (subject,) = subjects_of(network(), DATA, preprocessing=SMALL)
    assert subject.classifier.name == "Sequential"
    assert subject.classifier.preprocessing == SMALL
    assert subject.label_map.classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("given", [None, {"size": 224}])
def test_without_it_an_error_shows_how_to_state_it(given):
    with pytest.raises(ConfigurationError, match=r"preprocessing=Preprocessing\(size=224, crop=0.875"):
        subjects_of(network(), DATA, preprocessing=given)


def test_a_mapping_names_its_models():
    models = {"before": network(), "after": network(), "third": brightness()}
    assert names(models, preprocessing=SMALL) == ["before", "after", "third"]


def test_models_come_in_their_order_and_each_once():
    one, two = brightness(), convolutions()
    assert names([two, network(), one, two], preprocessing=SMALL) == ["convolutions", "Sequential", "brightness"]


def test_two_models_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="two models have one name; found Sequential"):
        subjects_of([network(), network()], DATA, preprocessing=SMALL)


@pytest.mark.parametrize("models", [[], {}, None, 3, ["brightness", None]])
def test_what_is_no_model_is_refused(models):
    with pytest.raises(ConfigurationError, match=r"no model|unknown classifier"):
        subjects_of(models, DATA)


def test_each_model_can_have_labels_of_its_own(tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(["blue", None, "red", "green"]))
    models = {"three": network(), "four": network(4)}
    subjects = subjects_of(models, DATA, preprocessing=SMALL, labels={"four": tmp_path / "labels.json"})
    assert [subject.label_map.classes.tolist() for subject in subjects] == [[0, 1, 2], [2, -1, 0, 1]]
    with pytest.raises(ConfigurationError, match="labels of no such model; found five; allowed: three, four"):
        subjects_of(models, DATA, preprocessing=SMALL, labels={"five": tmp_path / "labels.json"})
    with pytest.raises(ConfigurationError, match="labels are not allowed; found list"):
        subjects_of(network(), DATA, preprocessing=SMALL, labels=["red"])
    with pytest.raises(NotFoundError, match="nowhere"):
        subjects_of(network(), DATA, preprocessing=SMALL, labels="nowhere.json")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_cast_and_those_of_the_caller_stay(dtype):
    given = network().to(dtype)
    (subject,) = subjects_of(Classifier(name="half", revision="", network=given, preprocessing=SMALL), DATA)
    assert {weight.dtype for weight in given.parameters()} == {dtype}
    assert {weight.dtype for weight in subject.classifier.network.parameters()} == {torch.float32}
    assert subject.classifier.logits(torch.rand(2, 3, 32, 32)).shape == (2, 3)
    assert all(
        torch.equal(one.to(dtype), two)
        for one, two in zip(subject.classifier.network.parameters(), given.parameters(), strict=True)
    )


def test_a_network_in_float32_is_not_copied():
    given = network()
    assert in_float32(given) is given
