"""The columns of the prepared dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets


def row_features(class_names: Sequence[str]) -> datasets.Features:
    """Features of a prepared row (see `fornet_hf.rows.Row`), with the classes in label order."""
    features: dict[str, Any] = {
        "key": datasets.Value("string"),
        "label": datasets.ClassLabel(names=list(class_names)),
        "foreground": datasets.Image(),
        "mask": datasets.Image(),
        "background": datasets.Image(),
        "box": datasets.Sequence(datasets.Value("int32"), length=4),
        "foreground_ratio": datasets.Value("float32"),
    }
    return datasets.Features(features)
