"""Backgrounds are chosen from exactly the rows that the definition names, each with the same probability."""

from __future__ import annotations

import math
import pickle
import re
import warnings
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from fornet_hf.features import row_features
from fornet_hf.format.jpeg import encode
from fornet_hf.recombination.pools.arrow import BackgroundPool
from fornet_hf.recombination.recombiner import NEEDED
from fornet_hf.recombination.streaming import StreamingRecombine
from fornet_hf.recombination.transform import Recombine
from tests.recombination import reference

LABELS = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 3, 3]
RATIOS = [0.1, 0.2, 0.3, 0.75, 0.85, 0.05, 0.5, 0.79, 0.95, 0.81, 0.9, 1.0]  # class 3: all pruned by 0.8
DRAWS = 600


@pytest.fixture(scope="module")
def ds() -> Any:
    background = {"bytes": encode(Image.new("RGB", (32, 16))), "path": None}
    rows = [
        {
            "key": f"row{row}",
            "label": label,
            "foreground": background,
            "mask": _mask(),
            "background": background,
            "box": [0, 0, 32, 16],
            "foreground_ratio": ratio,
        }
        for row, (label, ratio) in enumerate(zip(LABELS, RATIOS, strict=True))
    ]
    return datasets.Dataset.from_list(rows, features=row_features(["a", "b", "c", "d"]))


def _mask() -> dict[str, Any]:
    from fornet_hf.format.masks import encode_mask

    return {"bytes": encode_mask(np.ones((16, 32), np.bool_)), "path": None}


def chosen(ds: Any, row: int, **parameters: Any) -> np.ndarray:
    """How often each background was drawn for `row`, in as many epochs as there are draws."""
    recombine = Recombine(ds, seed=4, **parameters)
    plain, counts = ds.with_format(None)[row], np.zeros(len(ds), int)
    for epoch in range(DRAWS):
        recombine.clock.epoch = epoch
        picked = recombine.recombine(plain)[1].background
        counts[row if picked is None else picked] += 1
    return counts


@pytest.mark.parametrize("pruning_ratio", [0.8, 0.2, 1.1])
@pytest.mark.parametrize("combination", ["orig", "same", "all"])
@pytest.mark.parametrize("row", [0, 4, 10])
def test_every_candidate_and_no_other_row_is_drawn_equally_often(
    ds: Any, row: int, combination: str, pruning_ratio: float
) -> None:
    candidates = reference.candidates(row, LABELS, RATIOS, combination=combination, pruning_ratio=pruning_ratio)
    counts = chosen(ds, row, background_combination=combination, pruning_ratio=pruning_ratio)
    assert np.flatnonzero(counts).tolist() == sorted(candidates)
    expected = DRAWS / len(candidates)
    chi_squared = float(((counts[candidates] - expected) ** 2 / expected).sum())
    freedom = len(candidates) - 1
    assert chi_squared <= freedom + 4.5 * math.sqrt(2 * max(freedom, 1))  # far in the tail for every freedom here


def test_pruning_everything_warns_once_with_the_smallest_ratio(ds: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recombine = Recombine(ds, pruning_ratio=0.05)
        pickle.loads(pickle.dumps(recombine)).recombine(ds.with_format(None)[0])
    told = re.compile("pruning_ratio=0.05 leaves no background.*above 0.05,")
    assert [bool(told.search(str(one.message))) for one in caught] == [True]


@pytest.mark.parametrize(
    "parameters",
    [{}, {"pruning_ratio": 0.06}, {"pruning_ratio": 0.0, "background_combination": "orig"}],
    ids=str,
)
def test_nothing_is_said_where_pruning_leaves_a_background_or_none_is_chosen(ds: Any, parameters: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Recombine(ds, **parameters)


def test_a_stream_that_is_all_pruned_warns_once() -> None:
    image, ratios = encode(Image.new("RGB", (32, 16))), [0.9, 0.95, 0.85, 0.99]
    batch = [("key", 0, image, _mask()["bytes"], image, [0, 0, 32, 16], ratio) for ratio in ratios]
    columns = dict(zip(NEEDED, map(list, zip(*batch, strict=True)), strict=True))
    recombine = StreamingRecombine(pruning_ratio=0.8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(60):
            recombine(columns)
    assert ["above 0.85," in str(one.message) for one in caught] == [True]


@pytest.mark.parametrize("rows", [range(3, 9), [7, 2, 2, 5, 0]], ids=["slice", "indices"])
@pytest.mark.parametrize("label", [None, 0, 1, 2])
def test_a_part_of_a_dataset_offers_its_own_rows_only(ds: Any, rows: Any, label: int | None) -> None:
    pool = BackgroundPool(ds.select(rows), pruning_ratio=0.8)
    labels, ratios = [LABELS[row] for row in rows], [RATIOS[row] for row in rows]
    own = 0 if label is None else labels.index(label)
    combination = "all" if label is None else "same"
    candidates = reference.candidates(own, labels, ratios, combination=combination, pruning_ratio=0.8)
    picked = [pool.pick((step + 0.5) / 840, label) for step in range(840)]
    assert sorted({shape.row for shape in picked}) == sorted(candidates)
    assert {pool.key(shape.row) for shape in picked} == {f"row{rows[candidate]}" for candidate in candidates}
    assert all(shape.ratio == pytest.approx(ratios[shape.row]) for shape in picked)
    counts = np.bincount([shape.row for shape in picked])
    assert set(counts[counts > 0]) == {840 // len(candidates)}
