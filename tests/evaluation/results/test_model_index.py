"""The header of a model's card: what huggingface_hub reads again, and nothing that is not defined."""

from dataclasses import dataclass

from huggingface_hub import ModelCard

from fornet_hf.evaluation.results.model_index import header, write_headers
from fornet_hf.evaluation.statistics.values import Value


@dataclass(frozen=True)
class Origin:
    model: str
    data: str = "TNauen/ForNet"
    split: str = "validation"
    weights: str = "a" * 64
    release: str = "b" * 64
    seed: int = 3
    draws: int = 1
    cells: str = "seen"
    precision: str = "float32"


ORIGIN = Origin("timm:resnet50.a1_in1k")
VALUES = [
    Value(measure="accuracy", part="original", value=0.75, low=0.7, high=0.8, error=0.02, n=100),
    Value(measure="background_robustness", value=0.9, n=90, left_out={"no foreground": 10}, note="read with care"),
    Value(measure="size_bias", value=None, n=0, note="no right answer at factor 1"),
]


def test_the_hub_reads_the_numbers_again():
    data = ModelCard(header(ORIGIN.model, [(ORIGIN, value) for value in VALUES])).data
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
        "draws": 1,
        "cells": "seen",
        "precision": "float32",
        "weights_sha256": "a" * 64,
    }
    assert second.metric_args["left_out"] == {"no foreground": 10}
    assert second.metric_args["note"] == "read with care"


def test_each_model_has_a_header(tmp_path):
    other = Origin("hf:me/vit=runs/a b.pt")
    results = [(ORIGIN, VALUES[0]), (other, VALUES[0]), (ORIGIN, VALUES[1])]
    first, second = write_headers(tmp_path, results)
    assert first == tmp_path / "model_index" / "timm_resnet50.a1_in1k.md"
    assert second.name == "hf_me_vit_runs_a_b.pt.md"
    assert len(ModelCard.load(first).data.eval_results) == 2


def test_a_header_without_numbers_is_empty():
    assert ModelCard(header("m", [(ORIGIN, VALUES[2])])).data.eval_results is None
