"""A small prepared dataset: eight rows, classes a, b, c, a, a, b, c, a, images of at most 192 pixels."""

from __future__ import annotations

import datasets
import pytest

from fornet_hf.features import row_features
from fornet_hf.format.rows import Row
from tests.factory import columns, make_row

CLASSES = ["a", "b", "c"]


def as_dataset(rows: list[Row]) -> datasets.Dataset:
    return datasets.Dataset.from_list([columns(row) for row in rows], features=row_features(CLASSES))


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    return [make_row(index) for index in range(8)]


@pytest.fixture
def ds(rows: list[Row]) -> datasets.Dataset:
    return as_dataset(rows)


@pytest.fixture(scope="session")
def saved(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dataset as a folder of memory-mapped Arrow files, as large ones are."""
    folder = str(tmp_path_factory.mktemp("saved") / "rows")
    as_dataset(rows).save_to_disk(folder)
    return folder
