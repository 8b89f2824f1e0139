"""`fornet_hf.builder.load.load_dataset`, on whatever version of datasets is installed."""

import io

import datasets
import pytest
from PIL import Image

from fornet_hf.builder.load import load_dataset
from fornet_hf.classes import imagenet_classes
from fornet_hf.errors import ConfigurationError, IntegrityError, NotFoundError, PatchFormatError
from fornet_hf.format.rows import cutout
from fornet_hf.hub.location import Folder
from fornet_hf.recombination import RecombinationConfig, Recombine
from fornet_hf.release.release import open_release
from tests.images import CLASSES, write_release
from tests.release.legacy.test_apply import SAMPLE, needs_sample


@pytest.fixture
def folder(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures", splits=("train", "validation"), shards=2, each=3)
    return tmp_path


def load(folder, **keywords):
    defaults = {"patches": folder / "patches", "imagenet_dir": folder / "pictures", "cache_dir": folder / "cache"}
    return load_dataset(**{**defaults, **keywords})


def stored(dataset):
    """The rows as they lie in the cache."""
    plain = dataset
    for name in ("foreground", "mask", "background"):
        plain = plain.cast_column(name, datasets.Image(decode=False))
    return list(plain)


def test_rows_are_those_of_the_units(folder):
    rows = stored(load(folder, split="train"))
    release = open_release(Folder(folder / "patches"))
    expected = [row for unit in release.units("train", Folder(folder / "pictures")) for row in unit.rows()]
    assert [row["key"] for row in rows] == [row.key for row in expected]
    for row, want in zip(rows, expected, strict=True):
        assert row["background"]["bytes"] == want.background
        assert row["foreground"]["bytes"] == want.foreground
        assert row["mask"]["bytes"] == want.mask
        assert tuple(row["box"]) == want.box
        assert row["label"] == want.label
        assert row["foreground_ratio"] == pytest.approx(want.foreground_ratio)


def test_without_a_split_all_are_given(folder):
    splits = load(folder)
    assert set(splits) == {"train", "validation"}
    assert splits["train"].features["label"].names == list(CLASSES)
    assert splits["validation"][0]["background"].size == (60, 80)
    assert cutout(splits["train"][0]).mode == "RGBA"


@pytest.mark.parametrize(("split", "count"), [("train[:4]", 4), ("train+validation", 12), ("validation[50%:]", 3)])
def test_slices_of_splits(folder, split, count):
    assert len(load(folder, split=split)) == count


@pytest.mark.parametrize("streaming", [False, True])
def test_of_a_list_of_splits_a_list_comes_back(folder, streaming):
    loaded = load(folder, split=["validation", "train"], streaming=streaming)
    assert [len(list(rows)) for rows in loaded] == [6, 6]
    assert [str(rows.split) for rows in loaded] == ["validation", "train"]


def test_one_split_needs_the_images_of_that_split_only(folder):
    (folder / "pictures/val").rename(folder / "elsewhere")
    assert len(load(folder, split="train")) == 6
    with pytest.raises(NotFoundError, match="'validation'"):
        load(folder, split="validation")


def test_the_second_load_uses_the_cache(folder):
    first = stored(load(folder, split="train"))
    (folder / "pictures").rename(folder / "gone")
    assert stored(load(folder, split="train", imagenet_dir=None)) == first


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("picturs", "imagenet_dir: no such folder; found .*picturs"),
        ("C:\\data\\imagenet", "imagenet_dir: no such folder"),
        ("pictures/train", "This is the folder of one split: give the one above it"),
        ("cache", "has no images for 'train'"),
    ],
)
def test_a_wrong_folder_is_named_though_the_cache_needs_none(folder, wrong, says):
    load(folder, split="train")
    with pytest.raises(NotFoundError, match=says):
        load(folder, split="train", imagenet_dir=folder / wrong)
    with pytest.raises(ConfigurationError, match="no such folder or repository"):
        load(folder, split="train", imagenet_dir=None, imagenet_repo="imagenet")


def test_patches_of_a_folder_ask_for_one(folder):
    """Not for a repository with the folder's name."""
    with pytest.raises(NotFoundError, match=r"were made from a folder of images.*allowed: imagenet_dir=") as caught:
        load(folder, split="train", imagenet_dir=None)
    assert "huggingface.co" not in str(caught.value)


def test_another_release_is_prepared_anew(folder):
    load(folder, split="train")
    write_release(folder / "patches", folder / "pictures", shards=1, each=2)
    assert len(load(folder, split="train")) == 2


@pytest.mark.parametrize("workers", ["1", "2", "8"])
def test_the_number_of_workers_changes_nothing(folder, monkeypatch, workers):
    expected = stored(load(folder, split="train", cache_dir=folder / "other", num_proc=1))
    monkeypatch.setenv("MAX_WORKERS", workers)
    assert stored(load(folder, split="train")) == expected


def test_two_workers_are_two_processes(folder, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "2")
    files = load(folder, split="train").cache_files
    assert len(files) == 2  # each process writes its own


def test_one_worker_writes_one_file(folder, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "1")
    assert len(load(folder, split="train", num_proc=2).cache_files) == 1


@pytest.mark.parametrize("value", ["abc", "0"])
def test_a_wrong_number_of_workers_is_named(folder, monkeypatch, value):
    monkeypatch.setenv("MAX_WORKERS", value)
    with pytest.raises(ConfigurationError, match="MAX_WORKERS"):
        load(folder, split="train")


@pytest.mark.parametrize("number", [0, -2])
def test_so_is_a_wrong_num_proc(folder, number):
    with pytest.raises(ConfigurationError, match="num_proc"):
        load(folder, split="train", num_proc=number)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_errors_are_ours_from_any_number_of_processes(folder, monkeypatch, workers):
    monkeypatch.setenv("MAX_WORKERS", workers)
    (folder / "pictures/train/bee/train_1_1.JPEG").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"train-00001-of-00002.parquet, row 1 \(train_1_1\)"):
        load(folder, split="train")


def test_a_failed_preparation_can_be_repeated(folder):
    path = folder / "pictures/train/bee/train_1_1.JPEG"
    good = path.read_bytes()
    path.write_bytes(b"other")
    with pytest.raises(IntegrityError):
        load(folder, split="train")
    path.write_bytes(good)
    assert len(load(folder, split="train")) == 6


@pytest.mark.parametrize(
    ("keywords", "error", "says"),
    [
        ({"imagenet_dir": None}, NotFoundError, "imagenet_dir=FOLDER"),
        ({"imagenet_dir": "/nowhere"}, NotFoundError, "no such folder"),
        ({"patches": "/nowhere"}, ConfigurationError, "no such folder or repository"),
        ({"split": "test"}, ConfigurationError, "no such split.*test.*train"),
    ],
)
def test_wrong_parameters_are_named(folder, keywords, error, says):
    with pytest.raises(error, match=says):
        load(folder, **{"split": "train", **keywords})


def test_misspelt_keywords_are_named_with_the_nearest(folder):
    with pytest.raises(ConfigurationError, match=r"found fg_bates; allowed: .*transform.*\. Did you mean fg_bates_n"):
        load(folder, fg_bates=3)


def passes(rows):
    return [[example["image"].tobytes() for example in rows] for _ in range(2)]


@pytest.mark.parametrize("streaming", [False, True])
def test_validation_is_recombined_as_in_evaluation_and_training_is_not(folder, streaming):
    both = load(folder, crop=32, flip=0.5, streaming=streaming)
    alone = load(folder, crop=32, flip=0.5, streaming=streaming, split="validation")
    first, second = passes(alone)
    assert first == second == passes(both["validation"])[0]
    first, second = passes(both["train"])
    assert first != second


def test_what_is_said_of_evaluation_wins(folder):
    first, second = passes(load(folder, crop=32, flip=0.5, split="validation", evaluation=False))
    assert first != second
    first, second = passes(load(folder, crop=32, flip=0.5, split="train", evaluation=True))
    assert first == second


@pytest.mark.parametrize("streaming", [False, True])
def test_a_config_is_taken_as_well_as_its_keywords(folder, streaming):
    config = RecombinationConfig(crop=24, seed=3)
    given = load(folder, config=config, split="train", streaming=streaming)
    keywords = load(folder, crop=24, seed=3, split="train", streaming=streaming)
    assert [e["image"].tobytes() for e in given] == [e["image"].tobytes() for e in keywords]
    with pytest.raises(ConfigurationError, match="give config or keywords, not both"):
        load(folder, config=config, flip=0.5)


def test_a_transform_set_later_knows_the_split_too(folder):
    rows = load(folder, split="validation[:2]")
    first, second = passes(rows.with_transform(Recombine(rows, flip=0.5)))
    assert first == second


def test_a_broken_manifest_is_named(folder):
    (folder / "patches/manifest.json").write_text("{")
    with pytest.raises(PatchFormatError, match=r"manifest\.json: not valid JSON"):
        load(folder, split="train")


@needs_sample
def test_the_old_release_loads_too(tmp_path):
    rows = load_dataset(
        patches=SAMPLE / "hub", imagenet_dir=SAMPLE / "imagenet", split="train", cache_dir=tmp_path / "cache"
    )
    assert len(rows) == 9
    row = stored(rows)[0]
    box = row["box"]
    assert Image.open(io.BytesIO(row["foreground"]["bytes"])).size == (box[2] - box[0], box[3] - box[1])
    assert row["key"].startswith(imagenet_classes()[row["label"]].wnid)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"transform": lambda image: image, "return_fg_masks": True}, "cannot tell where this step"),
        ({"keep": "key"}, "keep is not allowed"),
        ({"fg_scale_jitter": -1}, "fg_scale_jitter is not allowed"),
        ({"transform": 3}, "transform is not allowed"),
        ({"fg_transform": len, "foreground_transform": len}, "were both given"),
        ({"epochs": -1}, "epochs is not allowed"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_prepared(folder, keywords, message):
    with pytest.raises(ConfigurationError, match=message):
        load(folder, split="train", **keywords)
    assert not list((folder / "cache").rglob("*.arrow"))
