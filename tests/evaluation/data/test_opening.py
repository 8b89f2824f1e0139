from __future__ import annotations

import dataclasses

import datasets
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.folders import ImagesData
from fornet_hf.evaluation.data.opening import RowsData, open_data
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.stimuli.conditions import Condition
from fornet_hf.features import row_features
from fornet_hf.recombination.draw.configuration import RecombinationConfig
from tests.factory import columns, make_row

CONDITIONS = {
    "original": Condition(),
    "all": Condition(recombination=RecombinationConfig(background_combination="all", evaluation=True)),
}
SMALL = Preprocessing(size=32)


@pytest.fixture(scope="module")
def rows():
    made = [columns(make_row(index)) for index in range(6)]
    return datasets.Dataset.from_list(made, features=row_features(["cat", "cup", "man"]))


def shown(data):
    stimuli = data.stimuli(CONDITIONS, EvaluationConfig())
    return stimuli, [stimuli.shown(item, SMALL) for item in range(len(stimuli.keys))]


def test_a_dataset_of_rows(rows):
    data = open_data(rows)
    stimuli, items = shown(data)
    assert list(stimuli.keys) == rows["key"]
    assert data.class_names == ["cat", "cup", "man"]
    assert all(len(item.views) == 2 for item in items)


def test_opened_data_are_data(rows):
    data = RowsData.of(rows, "train", "mine")
    assert open_data(data) is data


def test_of_a_dict_the_split_is_taken(rows):
    both = datasets.DatasetDict({"train": rows.select([0, 1]), "validation": rows})
    assert [len(open_data(both, split).rows) for split in both] == [2, 6]
    with pytest.raises(NotFoundError, match="no split 'validation' in the data; found train, test"):
        open_data({"train": rows, "test": rows})


def test_what_is_no_data_is_told(rows):
    for given in (None, [], 3, list(rows)):
        with pytest.raises(ConfigurationError, match=r"these are no data; found .*; allowed: a folder"):
            open_data(given)
    for streamed in (rows.to_iterable_dataset(), {"validation": rows.to_iterable_dataset()}):
        with pytest.raises(ConfigurationError, match=r"streamed rows cannot be evaluated.* without streaming=True"):
            open_data(streamed)


def test_the_fingerprint_is_that_of_the_content(rows):
    one, again, fewer = (open_data(some).fingerprint for some in (rows, rows.select(range(6)), rows.select(range(5))))
    assert one == again != fewer


def test_the_fingerprint_follows_the_pixels_alone(rows):
    first = rows[0]["background"]
    other = rows.map(lambda row: {"background": first}, load_from_cache_file=False)
    assert [other[name] for name in ("key", "label")] == [rows[name] for name in ("key", "label")]
    assert open_data(other).fingerprint != open_data(rows).fingerprint


@pytest.mark.parametrize("split", [None, "validation"])
def test_rows_that_datasets_saved(rows, tmp_path, split):
    rows.save_to_disk(str(tmp_path / split if split else tmp_path))
    data = open_data(tmp_path)
    assert isinstance(data, RowsData)
    assert data.name == str(tmp_path)
    assert data.fingerprint == open_data(rows).fingerprint


def test_another_split_is_told(rows, tmp_path):
    datasets.DatasetDict({"train": rows}).save_to_disk(str(tmp_path))
    with pytest.raises(NotFoundError, match=r"no split 'validation' in .*found \['train'\]"):
        open_data(tmp_path)


def rows_in(rows, split: str) -> datasets.Dataset:
    return datasets.Dataset(rows.data, info=rows.info, split=datasets.NamedSplit(split))


@pytest.mark.parametrize("saved", ["train", "train[:6]"])
def test_rows_of_another_split_are_not_taken_for_this_one(rows, tmp_path, saved):
    rows_in(rows, saved).save_to_disk(str(tmp_path))
    with pytest.raises(NotFoundError, match=r"no split 'validation' in .*found \['train'\]. Add --split train"):
        open_data(tmp_path)
    assert open_data(tmp_path, "train").split == open_data(rows_in(rows, saved)).split == "train"


def test_rows_of_a_split_of_their_own_keep_its_name(rows, tmp_path):
    rows_in(rows, "test").save_to_disk(str(tmp_path))
    assert open_data(tmp_path).split == "test"


def test_no_rows(rows):
    with pytest.raises(ConfigurationError, match="these are no rows of a ForNet"):
        open_data(rows.remove_columns("mask"))


@pytest.fixture
def images(tmp_path):
    for number, name in enumerate(["n02123045", "n01440764", "n02123045"]):
        path = tmp_path / "val" / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 50), (10 * number, 0, 0)).save(path)
    return tmp_path


@pytest.mark.parametrize("inside", [".", "val"])
def test_class_folders(images, inside):
    data = open_data(images / inside)
    assert isinstance(data, ImagesData)
    stimuli = data.stimuli({"original": Condition()}, EvaluationConfig())
    assert data.class_names == ["n01440764", "n02123045"]
    assert list(stimuli.labels) == [0, 1, 1]
    assert [key.split("/")[0] for key in stimuli.keys] == ["n01440764", "n02123045", "n02123045"]
    view = stimuli.shown(2, SMALL).views[0]
    assert view.image.shape == (3, 32, 32)
    assert view.image[0].max() == 20


def test_a_damaged_image_is_left_out_and_counted(images):
    (images / "val" / "n01440764" / "1.png").write_bytes(b"none")
    stimuli = open_data(images).stimuli({"original": Condition()}, EvaluationConfig())
    assert stimuli.shown(0, SMALL) == ([], {0: "the file cannot be decoded"})


def test_class_folders_have_no_objects(images):
    reason = "foregrounds and backgrounds are needed; found .*, a folder of images whose objects are not known. Take"
    with pytest.raises(ConfigurationError, match=reason):
        open_data(images).stimuli(CONDITIONS, EvaluationConfig())


def test_folders_that_fornet_apply_made_are_read_anew_when_an_image_changes(tmp_path):
    place = tmp_path / "val"
    for kind, ending in (("foregrounds", "WEBP"), ("backgrounds", "JPEG")):
        for name in ("cat", "cup"):
            (place / kind / name).mkdir(parents=True)
            mode = "RGBA" if kind == "foregrounds" else "RGB"
            Image.new(mode, (20, 20), "red").save(place / kind / name / f"{name}_1.{ending}")
    (tmp_path / "fg_bg_ratios_val.json").write_text("{}")

    def opened():
        return open_data(tmp_path, cache_dir=tmp_path / "cache")

    first = opened()
    assert opened().fingerprint == first.fingerprint
    (place / "foregrounds" / "cat" / "cat_1.WEBP").rename(place / "foregrounds" / "cup" / "cat_1.WEBP")
    assert sorted(opened().rows["label"]) == [1, 1]
    Image.new("RGB", (20, 20), "blue").save(place / "backgrounds" / "cup" / "cup_1.JPEG")
    assert opened().fingerprint != first.fingerprint


def test_nothing_there(tmp_path):
    with pytest.raises(ConfigurationError, match="no such folder or repository"):
        open_data(tmp_path / "nowhere")


def test_stimuli_follow_the_configuration(rows):
    data, config = open_data(rows), EvaluationConfig()
    usual, other, more = (
        data.stimuli(CONDITIONS, dataclasses.replace(config, **change)) for change in ({}, {"seed": 1}, {"draws": 3})
    )
    assert usual.fingerprint != other.fingerprint
    assert len(more.keys) == 18
