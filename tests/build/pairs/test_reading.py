"""Pairs of images and masks, from runs, releases, folders and Parquet shards."""

import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fornet_hf.errors import NotFoundError, SourceError
from fornet_hf.format.masks import encode_mask
from fornet_hf.format.raster import canonical_raster
from producers.pairs.reading import read_pairs
from producers.pairs.sizes import longer_side, shorter_side
from producers.tasks.candidate_shards import CandidatePatch, write_candidates
from tests.images import ENCODING, disc, file_of, made_image, patch_of, write_release


def folder_of(root, count=3, ending="jpg"):
    """Images and PNG masks of the same names, in a folder for each."""
    for number in range(count):
        size = 60 + 10 * number, 80
        for kind in ("images", "masks"):
            (root / kind).mkdir(parents=True, exist_ok=True)
        (root / "images" / f"{number}.{ending}").write_bytes(file_of(made_image(*size, seed=number), quality=95))
        (root / "masks" / f"{number}.png").write_bytes(encode_mask(disc(*size)))
    return root / "images", root / "masks"


def test_a_folder_of_images_goes_with_masks_of_the_same_names(tmp_path):
    images, masks = folder_of(tmp_path)
    (masks / "lonely.png").write_bytes(encode_mask(disc(5, 5)))
    (images / "2.jpg").rename(images / "other.jpg")
    pairs = read_pairs(images, masks)
    assert ([*pairs.keys], [*pairs.splits]) == (["0", "1"], ["", ""])
    assert pairs.unmatched == {"masks without an image": 2, "images without a mask": 1}
    raster, mask = pairs.read(1).at()
    assert raster.shape == (80, 70, 3)
    assert (mask == disc(70, 80)).all()


def test_a_list_of_images_says_their_splits(tmp_path):
    _, masks = folder_of(tmp_path)
    lines = ["images/2.jpg 0", "images/0.jpg 1", "images/1.jpg 2"]
    (tmp_path / "images.txt").write_text("\n".join(lines))
    pairs = read_pairs(tmp_path, masks)
    assert dict(zip(pairs.keys, pairs.splits, strict=True)) == {"0": "train", "1": "validation", "2": "test"}
    assert pairs.read([*pairs.keys].index("1")).at()[0].shape == (80, 70, 3)


def test_folders_of_splits_say_the_splits_of_masks_in_files(tmp_path):
    for number, split in enumerate(("train", "val", "test")):
        for root, name, data in (
            ("in", f"{split}/ant/{number}.jpg", file_of(made_image(60, 80))),
            ("masks", f"ant/{number}.png", encode_mask(disc(60, 80))),
        ):
            (tmp_path / root / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / root / name).write_bytes(data)
    pairs = read_pairs(tmp_path / "in", tmp_path / "masks")
    assert dict(zip(pairs.keys, pairs.splits, strict=True)) == {"0": "train", "1": "validation", "2": "test"}


def test_a_release_goes_with_its_images_in_both_splits(tmp_path):
    write_release(tmp_path / "out" / "patches", tmp_path / "in", splits=("train", "validation"), shards=2)
    pairs = read_pairs(tmp_path / "in", tmp_path / "out")
    assert len(pairs) == 12
    assert dict(zip(pairs.keys, pairs.splits, strict=True))["validation_1_2"] == "validation"
    seen = {index: read() for index, read in pairs.readers()}
    assert sorted(seen) == list(range(12))
    for index, one in seen.items():
        assert one.key == pairs.keys[index] == pairs.read(index).key
        raster, mask = one.at()
        assert (raster == np.asarray(canonical_raster(one.data, 512))).all()
        assert (mask == disc(raster.shape[1], raster.shape[0])).all()


def test_of_candidates_the_most_confident_version_counts(tmp_path):
    source = file_of(made_image(64, 64), quality=95)
    (tmp_path / "in" / "train" / "ant").mkdir(parents=True)
    (tmp_path / "in" / "train" / "ant" / "a.jpg").write_bytes(source)
    small = np.zeros((64, 64), np.bool_)
    small[:20, :20] = True
    rows = [
        CandidatePatch(patch_of(source), 0, "an ant.", 0.4),
        CandidatePatch(patch_of(source, small), 1, "an insect.", 0.7),
    ]
    write_candidates(tmp_path / "run" / "candidates" / "train-00000-of-00001.parquet", rows, ENCODING)
    pairs = read_pairs(tmp_path / "in", tmp_path / "run")
    assert [*pairs.splits] == ["train"]
    assert (pairs.read(0).at()[1] == small).all()


def test_images_in_parquet_shards_are_read_by_row(tmp_path):
    """Their names say nothing, so their keys are their rows; row groups are read once in their order."""
    images, masks = [], tmp_path / "masks"
    masks.mkdir()
    for row in range(5):
        images.append({"bytes": file_of(made_image(60 + row, 80, seed=row), quality=95), "path": None})
        (masks / f"train-00000-{row:06}.png").write_bytes(encode_mask(disc(60 + row, 80)))
    table = pa.table({"image": images, "label": pa.array([0] * 5, pa.int64())})
    (tmp_path / "data").mkdir()
    pq.write_table(table, tmp_path / "data" / "train-00000-of-00001.parquet", row_group_size=2)
    pairs = read_pairs(tmp_path, masks)
    assert [read().at()[0].shape[1] for _, read in pairs.readers([4, 0, 3])] == [60, 63, 64]
    assert pairs.read(2).at()[0].shape == (80, 62, 3)


def test_a_set_without_common_names_and_masks_of_another_shape_are_refused(tmp_path):
    images, masks = folder_of(tmp_path / "one")
    others = folder_of(tmp_path / "two")[0]
    for path in [*others.iterdir()]:
        path.rename(path.with_stem(f"other_{path.stem}"))
    with pytest.raises(NotFoundError, match="no image has the name of a mask"):
        read_pairs(others, masks)
    (masks / "0.png").write_bytes(encode_mask(disc(80, 60)))
    with pytest.raises(SourceError, match="0: the mask has not the shape of its image"):
        read_pairs(images, masks).read(0).at()


@pytest.mark.parametrize(("size_of", "size"), [(shorter_side(64), (96, 64)), (longer_side(64), (64, 43))])
def test_pairs_are_shrunk_together(tmp_path, size_of, size):
    """The draft mode of the decoder gives what shrinking the whole image gives, to a few levels."""
    raster = np.zeros((400, 600, 3), np.uint8)
    raster[100:300, 200:500] = (250, 120, 30)
    mask = raster[..., 0] > 0
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(file_of(Image.fromarray(raster), quality=95, subsampling=0))
    (tmp_path / "masks" / "a.png").write_bytes(encode_mask(mask))
    small, small_mask = read_pairs(tmp_path / "images", tmp_path / "masks").read(0).at(size_of)
    assert small.shape == (*size[::-1], 3)
    whole = np.asarray(Image.fromarray(raster).resize(size, Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(small.astype(int) - whole).mean() < 2
    assert (small_mask != (small[..., 0] > 125)).mean() < 0.01


def test_pairs_travel_to_processes(tmp_path):
    images, masks = folder_of(tmp_path)
    pairs = pickle.loads(pickle.dumps(read_pairs(images, masks)))
    assert pairs.read(0).at()[1].any()
