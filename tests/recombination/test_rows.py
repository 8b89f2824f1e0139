"""Rows of a recombined dataset: columns and filters recombine nothing, removals leave what recombining needs."""

from __future__ import annotations

import warnings

import datasets
import pytest

from fornet_hf.recombination import PreparedDataset, Recombine
from tests.recombination.conftest import as_dataset


@pytest.fixture
def recombined(ds, monkeypatch):
    """Counts what it recombines."""
    recombine = Recombine(ds, crop=16)
    made = []
    examples = recombine.examples
    monkeypatch.setattr(recombine, "examples", lambda rows: examples(made.append(row) or row for row in rows))
    ds.set_transform(recombine)
    ds.made = made
    return ds


def plain(rows):
    return as_dataset(rows)


def test_a_column_is_that_of_the_rows_and_recombines_nothing(recombined, rows):
    stored = plain(rows)
    for name in ("key", "label", "foreground_ratio", "box"):
        assert list(recombined[name]) == list(stored[name])
        assert list(recombined[name][:3]) == list(stored[name][:3])
        assert recombined[name][-1] == stored[name][-1]
        assert type(recombined[name]) is type(stored[name])
    assert recombined["background"][2].size == stored["background"][2].size
    assert recombined.made == []


def test_a_column_of_examples_or_of_nothing_is_refused_as_by_datasets(recombined, rows):
    with pytest.raises((KeyError, ValueError)) as expected:
        plain(rows)["image"]
    with pytest.raises(expected.type, match="image"):
        recombined["image"]


def test_a_transform_of_the_user_still_sees_columns(ds):
    seen = []
    PreparedDataset.with_transform(ds, lambda batch: seen.append(sorted(batch)) or batch)["label"][:2]
    assert seen


def test_filters_see_rows_and_recombine_nothing(recombined, rows):
    expected = [row.key for row in rows if row.label == 0]
    by_row = recombined.filter(lambda row: row["label"] == 0 and "image" not in row)
    by_column = recombined.filter(lambda label: label == 0, input_columns="label")
    both = recombined.filter(lambda key, label: label == 0, input_columns=["key", "label"])
    for kept in (by_row, by_column, both):
        assert list(kept["key"]) == expected
        assert list(kept[0]) == ["image", "label"]
    assert len(recombined.made) == 3


def test_a_map_adds_columns_to_rows_and_freezes_nothing(recombined, rows):
    more = recombined.map(lambda row: {"coarse": row["label"] // 2})
    assert recombined.made == []
    assert list(more["coarse"]) == [row.label // 2 for row in rows]
    assert more[0]["image"].tobytes() != more[0]["image"].tobytes()


def test_indices_are_flattened_without_recombining(recombined, rows):
    flat = recombined.select([3, 1]).flatten_indices()
    assert list(flat["key"]) == [rows[3].key, rows[1].key]
    assert recombined.made == []
    assert list(flat[0]) == ["image", "label"]


def test_labels_alone_are_no_examples(recombined):
    with pytest.warns(UserWarning, match=r"columns stay which recombining needs; found key, .*ds\['label'\]"):
        labels = recombined.select_columns(["label"])
    assert list(labels[0]) == ["image", "label"]


def test_what_a_trainer_removes_leaves_examples_whole(recombined):
    """With its default it removes all columns that the model's `forward` does not name."""
    recombined = recombined.add_column("more", [1] * 8)
    with pytest.warns(UserWarning, match="columns stay which recombining needs"):
        left = recombined.remove_columns(sorted(set(recombined.column_names) - {"label", "labels"}))
    assert "more" not in left.column_names
    assert list(left[0]) == list(recombined[0])


def test_nothing_is_said_when_nothing_is_missing(recombined, rows):
    recombined = recombined.add_column("more", [1] * 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "more" not in recombined.remove_columns("more").column_names
        assert "more" not in recombined.select_columns([*plain(rows).column_names]).column_names
        assert recombined.with_format(None).select_columns(["label"]).column_names == ["label"]


def test_joined_datasets_lack_this_and_say_so(recombined):
    joined = datasets.concatenate_datasets([recombined, recombined])
    with pytest.raises(ValueError, match="rows lack columns that recombining needs"):
        joined.select_columns(["label"])[0]
