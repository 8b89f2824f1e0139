"""The masks of runs and releases are those of their patches, placed on the raster."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, NotFoundError, PatchFormatError
from fornet_hf.evaluation.masks.predicted import read_predicted
from fornet_hf.format.shards import CANDIDATE_SCHEMA, SCHEMA, write_records, write_shard
from tests.images import ENCODING, disc, file_of, made_image, patch_of


def patches(count: int) -> list:
    sizes = [(60 + 10 * number, 80) for number in range(count)]
    return [patch_of(file_of(made_image(*size)), key=f"k{number}") for number, size in enumerate(sizes)]


def record(patch, version: int, score: float) -> dict:
    columns = {name: getattr(patch, name) for name in SCHEMA.names}
    return {**columns, "version": version, "prompt": "a disc.", "score": score}


def test_the_masks_of_patches(tmp_path):
    made = patches(4)
    write_shard(tmp_path / "patches" / "train-00000-of-00002.parquet", made[:3], ENCODING)
    write_shard(tmp_path / "patches" / "train-00001-of-00002.parquet", made[3:], ENCODING)
    for root in (tmp_path, tmp_path / "patches"):
        found = read_predicted(root)
        assert found.keys() == ["k0", "k1", "k2", "k3"]
        masks = {number: read().mask for number, read in found.readers({0, 2, 3})}
        assert [*masks] == [0, 2, 3]
        for number, mask in masks.items():
            np.testing.assert_array_equal(mask, disc(60 + 10 * number, 80))
            np.testing.assert_array_equal(found.read(number).mask, mask)


def test_the_masks_of_patches_take_no_threshold(tmp_path):
    write_shard(tmp_path / "train-00000-of-00001.parquet", patches(1), ENCODING)
    with pytest.raises(ConfigurationError, match="a threshold is not allowed"):
        read_predicted(tmp_path, 127)


def test_many_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr("fornet_hf.format.shards.ROW_GROUP_ROWS", 2)
    write_shard(tmp_path / "train-00000-of-00001.parquet", patches(5), ENCODING)
    found = read_predicted(tmp_path)
    for number, read in found.readers({1, 4}):
        np.testing.assert_array_equal(read().mask, disc(60 + 10 * number, 80))


def test_the_most_confident_candidate_of_each_image(tmp_path):
    source, other = file_of(made_image(64, 48)), np.zeros((48, 64), bool)
    other[:9, :9] = True
    rows = [
        record(patch_of(source, key="a"), 0, 0.4),
        record(patch_of(source, other, key="a"), 1, 0.9),
        record(patch_of(source, key="b"), 0, 0.7),
    ]
    write_records(tmp_path / "candidates" / "train-00000-of-00001.parquet", rows, CANDIDATE_SCHEMA, ENCODING)
    found = read_predicted(tmp_path)
    assert found.keys() == ["a", "b"]
    np.testing.assert_array_equal(found.read(0).mask, other)
    np.testing.assert_array_equal(found.read(1).mask, disc(64, 48))


def test_png(tmp_path):
    Image.fromarray(disc(9, 7)).save(tmp_path / "a.png")
    found = read_predicted(tmp_path)
    assert found.keys() == ["a"]
    np.testing.assert_array_equal(found.read(0).mask, disc(9, 7))


def test_neither_is_an_error(tmp_path):
    with pytest.raises(NotFoundError, match=r"no masks in .*; allowed: PNG files, or the Parquet shards"):
        read_predicted(tmp_path)


def test_damaged_shards_are_named(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(PatchFormatError, match=r"train-00000.*: not a readable Parquet file"):
        read_predicted(tmp_path)
