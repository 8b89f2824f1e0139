"""Tasks from a source, and the keys of their images: sets as other people have them."""

import io
import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

import create_patches
from fornet_hf import cli, load_dataset
from fornet_hf.errors import ConfigurationError, NotFoundError, SourceError
from fornet_hf.format.manifest import read_manifest
from fornet_hf.sources import Columns
from producers.work.plan import Labelled, enough_shards, plan, present_splits
from producers.work.report import Lost
from tests.cub import NAMES, TESTS, cub
from tests.images import files


def test_shards_are_slices_of_the_sorted_list(tmp_path):
    root = files(tmp_path, "train/b/3.jpg", "train/a/1.jpg", "train/a/2.jpg", "train/c/4.png", "train/c/5.png")
    tasks = plan(root, ["train"], shards=2)
    assert [task.name for task in tasks] == ["train-00000-of-00002", "train-00001-of-00002"]
    assert [[one.key for one in task.read()] for task in tasks] == [["1", "2"], ["3", "4", "5"]]


def test_labels_of_imagenet_are_imagenets(tmp_path):
    (task,) = plan(files(tmp_path, "train/n02123045/a.JPEG"), ["train"])
    (one,) = task.read()
    assert task.classes is None
    assert (one.label, one.prompts[0]) == (281, "a tabby, a type of domestic cat.")


def test_other_folders_are_numbered_in_order_over_all_splits(tmp_path):
    root = files(tmp_path, "train/red_fox/1.jpg", "train/cat/2.jpg", "val/ant/3.jpg")
    (task,) = plan(root, ["train"])
    assert task.classes == ("ant", "cat", "red_fox")
    assert [(one.label, one.prompts) for one in task.read()] == [(1, ("a cat.",)), (2, ("a red fox.",))]


def test_an_unreadable_file_has_its_reason(tmp_path):
    (task,) = plan(files(tmp_path, "train/a/1.jpg", "train/a/2.jpg"), ["train"])
    (tmp_path / "train/a/1.jpg").unlink()
    gone, there = task.read()
    assert isinstance(gone, Lost)
    assert (gone.key, gone.outcome, gone.kind) == ("1", "error", "FileNotFoundError")
    assert isinstance(there, Labelled)


def test_parquet_shards_keep_number_order_and_labels(tmp_path):
    (tmp_path / "data").mkdir()
    for index, label in enumerate((5, 1000)):
        names = [f"n01440764_{index}_n01440764.JPEG"]
        shard(tmp_path / "data", names, index, 2, split="validation", label=label)
    first, second = plan(tmp_path, present_splits(tmp_path, "all"))
    assert (first.name, first.source) == ("validation-00000-of-00002", "data/validation-00000-of-00002.parquet")
    assert [(one.key, one.label) for one in first.read()] == [("n01440764_0", 5)]
    assert [(one.key, one.kind) for one in second.read()] == [("n01440764_1", "label")]


def test_splits_that_are_there(tmp_path):
    root = files(tmp_path, "val/a/1.jpg")
    assert present_splits(root, "all") == ["validation"] == present_splits(root, "val")


def test_errors_name_what_is_wrong(tmp_path):
    with pytest.raises(NotFoundError, match="no split"):
        present_splits(tmp_path, "all")
    root = files(tmp_path, "train/a/1.jpg", "train/b/1.png", "val/a/2.jpg")
    with pytest.raises(ConfigurationError, match=r"too few images; found 1; allowed: at least 3"):
        plan(root, ["validation"], shards=3)


@pytest.mark.parametrize(
    ("images", "workers", "shards"),
    [(6, 8, 1), (127, 8, 1), (128, 8, 2), (20_000, 16, 16), (20_000, 2, 5), (1_281_167, 16, 313), (1, 1, 1)],
)
def test_a_folder_makes_enough_shards_for_its_workers(images, workers, shards):
    assert enough_shards(images, workers) == shards


def keys(root, **options):
    return [one.key for task in plan(root, ["train"], **options) for one in task.read()]


def test_the_same_file_name_in_two_classes_has_two_keys(tmp_path):
    assert keys(files(tmp_path, "train/a/1.jpg", "train/b/1.png", "train/b/2.jpg")) == ["a--1", "b--1", "b--2"]


def test_names_that_differ_are_keys_as_they_are(tmp_path):
    assert keys(files(tmp_path, "train/a/1.jpg", "train/b/2.png")) == ["1", "2"]


@pytest.mark.parametrize(
    "names",
    [
        ("train/a/1.jpg", "train/a/a--1.jpg", "train/b/1.jpg"),
        ("train/a/b--c.jpg", "train/a--b/c.jpg", "train/d/c.jpg"),
    ],
)
def test_where_no_keys_can_be_made_the_image_is_named(tmp_path, names):
    with pytest.raises(ConfigurationError, match=r"is that of another image; found .*--.* of .*jpg"):
        plan(files(tmp_path, *names), ["train"])


def shard(root, paths, index=0, count=1, *, split="train", label=0):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": b"x", "path": path} for path in paths], kind)
    table = pa.table({"image": images, "label": pa.array([label] * len(paths), pa.int64())})
    pq.write_table(table, root / f"{split}-{index:05}-of-{count:05}.parquet")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["1.jpg", "2.jpg"], ["3.jpg"], ["1", "2", "3"]),
        (["1.jpg", "2.jpg"], ["1.png"], ["train-00000-000000", "train-00000-000001", "train-00001-000000"]),
        (["1.jpg", "1.jpg"], [], ["train-00000-000000", "train-00000-000001"]),
        ([None, "1.jpg"], [], ["train-00000-000000", "train-00000-000001"]),
        # names which another set's keys became must not be taken for rows of this one
        (["train-00000-000007.jpg"], [], ["train-00000-000000"]),
        (["train-00005-000007.jpg"], [], ["train-00005-000007"]),
    ],
)
def test_keys_of_parquet_shards_are_names_or_else_rows(tmp_path, first, second, expected):
    shard(tmp_path, first, 0, 2)
    shard(tmp_path, second, 1, 2)
    assert keys(tmp_path) == expected


def disc(number):
    image = Image.new("RGB", (96, 64), (40, 60, 20 * number))
    ImageDraw.Draw(image).ellipse((28, 12, 68, 52), (240, 200, 30))
    return image


def made(images, out, *options):
    words = [str(images), str(out), "--workers", "1", "--shards", "1", *options]
    return create_patches.main(words)


def prepared(tmp_path):
    places = {"patches": tmp_path / "out" / "patches", "imagenet_dir": tmp_path / "set", "cache_dir": tmp_path / "c"}
    return load_dataset(**places, split="train")


def test_images_saved_without_files_under_other_names_of_columns_go_the_whole_way(tmp_path, capsys):
    """As Dataset.from_dict({"img": [PIL images]}).to_parquet(...) leaves them, and CIFAR-100 has them."""
    root, fine = tmp_path / "set", datasets.ClassLabel(names=["cat", "red_fox"])
    root.mkdir()
    features = datasets.Features(
        {"img": datasets.Image(), "fine_label": fine, "coarse_label": datasets.ClassLabel(names=["animal"])}
    )
    columns = {"img": [disc(n) for n in range(4)], "fine_label": [1, 0, 1, 0], "coarse_label": [0] * 4}
    datasets.Dataset.from_dict(columns, features=features).to_parquet(root / "train-00000-of-00001.parquet")
    assert made(root, tmp_path / "out") == 1
    assert "found ['fine_label', 'coarse_label']. Say which: --label-column NAME" in capsys.readouterr().err
    assert made(root, tmp_path / "out", "--label-column", "fine_label") == 0
    assert made(root, tmp_path / "out", "--label-column", "coarse_label") == 1
    manifest = read_manifest(tmp_path / "out" / "patches")
    assert manifest.producer["columns"] == {"image": "img", "label": "fine_label"}
    rows = prepared(tmp_path)
    assert rows["key"][:] == [f"train-00000-{n:06}" for n in range(4)]
    assert rows["label"][:] == [1, 0, 1, 0]
    assert rows.features["label"].names == ["cat", "red_fox"]


def test_a_folder_with_the_same_names_in_all_classes_goes_the_whole_way(tmp_path):
    for index, name in enumerate(["cat/1.jpg", "fox/1.jpg", "fox/2.jpg", "fox/2.png", "fox/what?.png"]):
        buffer = io.BytesIO()
        disc(index).save(buffer, "JPEG" if name.endswith("jpg") else "PNG")
        path = tmp_path / "set" / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
    boxes = tmp_path / "boxes.json"
    names = ["cat--1", "fox--1", "fox--2.jpg", "fox--2.png", "fox--what%3F"]
    boxes.write_text(json.dumps({name: [[0.2, 0.2, 0.8, 0.8]] for name in names}))
    assert made(tmp_path / "set", tmp_path / "out", "--boxes", str(boxes)) == 0
    rows = prepared(tmp_path)
    assert rows["key"][:] == names


def test_a_set_like_cub_goes_the_whole_way(tmp_path, capsys):
    """Its test images are those of our validation split; a missing image is reported."""
    root = cub(tmp_path / "set")
    train, validation = plan(root, present_splits(root, "all"))
    assert train.classes == ("001.Black_footed_Albatross", "036.Northern_Flicker")
    assert [(one.key, one.label, one.prompts) for one in train.read()] == [
        ("Black_Footed_Albatross_0046_18", 0, ("a black footed albatross.",)),
        ("Northern_Flicker_0124_28966", 1, ("a northern flicker.",)),
    ]
    assert [one.key for one in validation.read()] == [NAMES[number].partition("/")[2] for number in TESTS]
    boxes = {one.key: [[0.25, 0.15, 0.75, 0.85]] for task in (train, validation) for one in task.images}
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    assert made(root, tmp_path / "out", "--boxes", str(tmp_path / "boxes.json")) == 0
    rows = prepared(tmp_path)
    assert (rows["key"][:], rows["label"][:]) == ([one.key for one in train.images], [0, 1])
    assert rows.features["label"].names == list(train.classes)
    capsys.readouterr()
    masks = ["masks", str(tmp_path / "out"), str(root), "--layout", "cub", "--split", "test", "--resamples", "20"]
    assert cli.main([*masks, "--json", "--crop", "64"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["masks"], found["missing"], found["crop"], len(found["extra"])) == (2, [], 64, 2)
    assert found["values"][0]["value"] > 0.9
    (root / "images" / f"{NAMES[0]}.jpg").unlink()
    lost, there = train.read()
    assert (lost.key, lost.kind, there.label) == ("Black_Footed_Albatross_0046_18", "FileNotFoundError", 1)


def test_test_images_beside_those_for_validation_are_told(tmp_path, capsys):
    root = cub(tmp_path)
    assert present_splits(root, "all") == ["train", "validation"]
    assert capsys.readouterr().err == ""
    (root / "train_val_test_split.txt").write_text("1 0\n2 2\n3 1\n4 2\n")
    assert present_splits(root, "all") == ["train", "validation"]
    assert capsys.readouterr().err == f"note: 2 test images of {root} are in neither split\n"


def test_columns_that_are_not_there_are_named(tmp_path):
    shard(tmp_path, ["1.jpg"])
    with pytest.raises(SourceError, match=r"lacks columns; found \['image', 'label'\]; allowed: img"):
        plan(tmp_path, ["train"], columns=Columns(image="img"))
