"""Measures in plain words, and their places in the docs."""

from __future__ import annotations

import pytest

from fornet_hf.evaluation.report.wording import MEASURES, of_class, part_words, wording
from tests.blocks import ROOT


@pytest.mark.parametrize("measure", MEASURES)
def test_the_docs_have_a_heading_for_each_measure(measure):
    lines = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8").splitlines()
    anchors = {line.lstrip("# ").lower().replace(" ", "-") for line in lines if line.startswith("#")}
    assert wording(measure).anchor in anchors


@pytest.mark.parametrize(
    ("measure", "part", "expected"),
    [
        ("accuracy", "class dog", ("", "class", "dog")),
        ("accuracy", "only_fg class my class", ("only_fg", "class", "my class")),
        ("attack_success", "mixed_rand background dog", ("mixed_rand", "background", "dog")),
        ("accuracy", "noise background 30", None),
        ("accuracy", "every original", None),
    ],
)
def test_parts_of_single_classes_are_known(measure, part, expected):
    assert of_class(measure, part) == expected


def test_methods_have_names():
    assert part_words("gradcam++ pooled") == "GradCAM++, pooled"
    assert part_words("cell 4") == "cell 4"
