from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from fornet_hf.errors import NotFoundError, PatchFormatError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import encode_levels, open_mask
from fornet_hf.format.patch import make_patch
from fornet_hf.format.shards import PatchShard, write_shard
from producers.scene import Detection
from producers.tasks.candidate_shards import CandidatePatch, CandidateShard, write_candidates

BOXES = {
    "a": tuple(Detection(box=(at, 2, 30, 40 + at), score=0.75, prompt="an \u00e9l\u00e9phant.") for at in range(3)),
    "b": (),
    "c": None,
}


@pytest.fixture
def candidates(dahlia, photos):
    import io

    raster, disc = dahlia
    buffer = io.BytesIO()
    photos["n11939491"].image.save(buffer, "JPEG", quality=95)
    made = []
    for key, versions in (("a", 2), ("b", 1), ("c", 3)):
        for version in range(versions):
            mask = np.roll(disc, version, 1)
            patch = make_patch(buffer.getvalue(), mask, np.zeros_like(raster), key=key, label=5, encoding=Encoding())
            soft = encode_levels(np.full((8, 12), 60 * version, np.uint8)) if version else None
            boxes = BOXES[key] if version == 0 else None
            made.append(CandidatePatch(patch, version, f"a {key}.", 0.5 + version / 8, soft, boxes))
    return made


def test_what_is_written_is_read_image_by_image(candidates, tmp_path):
    path = tmp_path / "train.parquet"
    assert write_candidates(path, candidates, Encoding()) == 6
    shard = CandidateShard(path)
    assert shard.encoding == Encoding()
    groups = list(shard.by_image())
    assert [len(group) for group in groups] == [2, 1, 3]
    assert [one for group in groups for one in group] == candidates


def test_images_are_listed_once_each_and_a_damaged_file_is_refused(candidates, tmp_path):
    path = tmp_path / "train.parquet"
    write_candidates(path, candidates, Encoding())
    assert CandidateShard(path).image_keys() == ["a", "b", "c"]
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(60) + content[64:])
    with pytest.raises(PatchFormatError, match="not a readable Parquet file"):
        CandidateShard(path).image_keys()


def test_soft_maps_are_grey_images(candidates, tmp_path):
    write_candidates(tmp_path / "new.parquet", candidates, Encoding())
    _, second = next(CandidateShard(tmp_path / "new.parquet").by_image())
    assert np.array_equal(open_mask(second.soft), np.full((8, 12), 60))


@pytest.mark.parametrize("missing", [["detections"], ["soft", "detections"]])
def test_files_from_before_a_column_are_read(candidates, tmp_path, missing):
    path, old = tmp_path / "new.parquet", tmp_path / "old.parquet"
    write_candidates(path, candidates, Encoding())
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(missing).replace_schema_metadata(table.schema.metadata), old)
    read = [one for group in CandidateShard(old).by_image() for one in group]
    assert read == [replace(one, **dict.fromkeys(missing)) for one in candidates]


def test_boxes_are_compressed(candidates, tmp_path):
    write_candidates(tmp_path / "new.parquet", candidates, Encoding())
    group = pq.ParquetFile(tmp_path / "new.parquet").metadata.row_group(0)
    columns = {one.path_in_schema: one.compression for one in map(group.column, range(group.num_columns))}
    boxes = {path: kind for path, kind in columns.items() if path.startswith("detections")}
    assert [*boxes.values()] == ["ZSTD"] * 3


def test_candidates_are_not_taken_for_patches_nor_patches_for_candidates(candidates, tmp_path):
    write_candidates(tmp_path / "candidates.parquet", candidates, Encoding())
    write_shard(tmp_path / "patches.parquet", [candidates[0].patch], Encoding())
    with pytest.raises(PatchFormatError, match="version"):
        PatchShard(tmp_path / "candidates.parquet", "candidates")
    with pytest.raises(PatchFormatError, match=r"patches\.parquet"):
        CandidateShard(tmp_path / "patches.parquet")


def test_a_damaged_or_missing_file_is_named(candidates, tmp_path):
    path = tmp_path / "train.parquet"
    write_candidates(path, candidates, Encoding())
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(PatchFormatError, match=r"train\.parquet"):
        list(CandidateShard(path).by_image())
    with pytest.raises(NotFoundError, match="Segment first"):
        CandidateShard(tmp_path / "nothing.parquet")
