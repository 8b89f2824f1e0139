"""Patch shards."""

import dataclasses

import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import NotFoundError, PatchFormatError
from fornet_hf.format import shards
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.shards import SCHEMA, PatchShard, write_shard
from tests.images import ENCODING, file_of, made_image, patch_of

BASE = patch_of(file_of(made_image(60, 50)))


def patches(count):
    return [dataclasses.replace(BASE, key=f"k{n}", label=n % 7) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 600])
def test_patches_come_back_in_order(tmp_path, count):
    path = tmp_path / "new" / "a.parquet"
    assert write_shard(path, iter(patches(count)), ENCODING) == count
    shard = PatchShard(path, "a")
    assert len(shard) == count
    assert [shard[n] for n in range(count)] == patches(count)
    assert shard.keys == [f"k{n}" for n in range(count)]
    assert shard.encoding == ENCODING


def test_a_row_can_be_read_twice_and_in_any_order(tmp_path):
    write_shard(tmp_path / "a", patches(600), ENCODING)
    shard = PatchShard(tmp_path / "a", "a")
    assert shard[599] == shard[599] == patches(600)[599]
    assert shard[0] == patches(1)[0]


@pytest.mark.parametrize("row", [-1, 3])
def test_there_are_no_other_rows(tmp_path, row):
    write_shard(tmp_path / "a", patches(3), ENCODING)
    with pytest.raises(IndexError, match="it has 3"):
        PatchShard(tmp_path / "a", "a")[row]


def test_missing_parts_come_back_as_none(tmp_path):
    only = [
        dataclasses.replace(BASE, box=None, mask=None, foreground_ratio=0.0),
        dataclasses.replace(BASE, key="b", delta=None, target_sha256=None),
    ]
    write_shard(tmp_path / "a", only, ENCODING)
    shard = PatchShard(tmp_path / "a", "a")
    assert [shard[0], shard[1]] == only


def test_equal_patches_make_equal_files(tmp_path):
    for name in "ab":
        write_shard(tmp_path / name, patches(300), ENCODING)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_row_groups_are_small_where_patches_are_large(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "MAX_ROW_GROUP_BYTES", 10 * len(BASE.delta))
    write_shard(tmp_path / "a", patches(10), ENCODING)
    assert pq.ParquetFile(tmp_path / "a").num_row_groups > 2
    assert len(PatchShard(tmp_path / "a", "a")) == 10


def test_an_error_leaves_no_file(tmp_path):
    def broken():
        yield BASE
        raise KeyError

    with pytest.raises(KeyError):
        write_shard(tmp_path / "a", broken(), ENCODING)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_shard_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match="shard-7"):
        PatchShard(tmp_path / "a", "shard-7")


def test_open_files_are_read(tmp_path):
    write_shard(tmp_path / "a", patches(3), ENCODING)
    with (tmp_path / "a").open("rb") as file:
        assert PatchShard(file, "a")[2].key == "k2"


def test_the_settings_of_the_release_are_kept(tmp_path):
    write_shard(tmp_path / "a", [], Encoding(max_side=64, dilation=3))
    assert PatchShard(tmp_path / "a", "a").encoding == Encoding(max_side=64, dilation=3)


def test_what_does_not_compress_is_stored(tmp_path):
    write_shard(tmp_path / "a", patches(5), ENCODING)
    group = pq.ParquetFile(tmp_path / "a").metadata.row_group(0)
    kinds = {group.column(i).path_in_schema: group.column(i).compression for i in range(group.num_columns)}
    assert {kinds["mask"], kinds["delta"], kinds["target_sha256"]} == {"UNCOMPRESSED"}
    assert {kinds["key"], kinds["width"], kinds["box.list.element"]} == {"ZSTD"}
    assert set(kinds) == {*SCHEMA.names, "box.list.element"} - {"box"}


def test_many_equal_keys_are_found_fast(tmp_path):
    write_shard(tmp_path / "a", [BASE] * 2000, ENCODING)
    with pytest.raises(PatchFormatError, match=r"not unique.*\['a'\]"):
        PatchShard(tmp_path / "a", "a")
