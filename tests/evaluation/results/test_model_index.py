"""The header of a model's card: what huggingface_hub reads again, and nothing that is not defined."""

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from fornet_hf.evaluation.results.model_index import dataset_type, header, write_headers
from fornet_hf.evaluation.results.origin import Origin
from fornet_hf.evaluation.results.results import Results
from fornet_hf.evaluation.results.rows import Result
from fornet_hf.evaluation.statistics.values import Value

ORIGIN = Origin(
    model="timm:resnet50.a1_in1k",
    weights="a" * 64,
    data="TNauen/ForNet",
    split="validation",
    release="b" * 16,
    seed=3,
    precision="float32",
    settings="s",
    version="1",
)
SETTINGS = {"s": {"measure": "centre", "cells": "seen", "preprocessing": {"size": 224}, "label_map": "c"}}
VALUES = [
    Value(measure="accuracy", part="original", value=0.75, low=0.7, high=0.8, error=0.02, n=100),
    Value(measure="background_robustness", value=0.9, n=90, left_out={"no foreground": 10}, note="read with care"),
    Value(measure="size_bias", value=None, n=0, note="no right answer at factor 1"),
]


def results(*pairs):
    return Results(results=[Result(*pair) for pair in pairs], settings=SETTINGS)


def test_the_hub_reads_the_numbers_again():
    every = results(*((ORIGIN, value) for value in VALUES))
    data = ModelCard(header(ORIGIN.model, every, every)).data
    assert data.model_name == ORIGIN.model
    assert [(one.metric_name, one.metric_value) for one in data.eval_results] == [
        ("accuracy, original", 0.75),
        ("background robustness", 0.9),
    ]
    first, second = data.eval_results
    assert (first.task_type, first.dataset_name, first.dataset_split) == (
        "image-classification",
        "TNauen/ForNet",
        "validation",
    )
    assert first.metric_args == {
        "n": 100,
        "interval_95": [0.7, 0.8],
        "standard_error": 0.02,
        "seed": 3,
        "cells": "seen",
        "precision": "float32",
        "weights_sha256": "a" * 64,
        "data_fingerprint": "b" * 16,
    }
    assert second.metric_args["left_out"] == {"no foreground": 10}
    assert second.metric_args["note"] == "read with care"


def test_each_model_has_a_header(tmp_path):
    other = replace(ORIGIN, model="hf:me/vit=runs/a b.pt")
    first, second = write_headers(
        tmp_path, results((ORIGIN, VALUES[0]), (other, VALUES[0]), (replace(ORIGIN, seed=4), VALUES[1]))
    )
    assert first == tmp_path / "model_index" / "timm_resnet50.a1_in1k.md"
    assert second.name == "hf_me_vit_runs_a_b.pt.md"
    assert len(ModelCard.load(first).data.eval_results) == 2


def test_models_of_one_name_have_headers_of_their_own(tmp_path):
    other = replace(ORIGIN, weights="d" * 64)
    first, second = write_headers(tmp_path, results((ORIGIN, VALUES[0]), (other, VALUES[1])))
    assert [first.name, second.name] == [f"timm_resnet50.a1_in1k_weights_{letter * 12}.md" for letter in ("a", "d")]
    assert [ModelCard.load(path).data.model_name for path in (first, second)] == [ORIGIN.model] * 2


def test_data_of_the_hub_have_their_revision():
    run = {"dataset": "TNauen/ForNet", "revision": "v2"}
    every = replace(results((ORIGIN, VALUES[0])), runs={ORIGIN: run})
    (one,) = ModelCard(header("m", every, every)).data.eval_results
    assert (one.dataset_type, one.dataset_revision) == ("TNauen/ForNet", "v2")


def test_a_header_without_numbers_is_empty():
    every = results((ORIGIN, VALUES[2]))
    assert ModelCard(header("m", every, every)).data.eval_results is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("TNauen/ForNet", "TNauen/ForNet"),
        ("demo/made/patches", "patches"),
        ("./My set/", "my-set"),
        ("/data/ImageNet_val", "imagenet-val"),
        ("rows", "rows"),
        (".", "images"),
    ],
)
def test_data_have_the_id_of_the_hub_or_a_short_name(data, expected):
    assert dataset_type(data) == expected


def test_a_folder_is_no_dataset_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made" / "rows").mkdir(parents=True)
    assert dataset_type("made/rows") == "rows"
