"""The builder script, run by the last `datasets` that runs scripts."""

import shutil
from pathlib import Path

import datasets
import pytest

from fornet_hf.builder.load import load_dataset
from fornet_hf.errors import ConfigurationError, IntegrityError, NotFoundError
from tests.builder.test_load import stored
from tests.images import write_release
from tests.release.legacy.test_apply import SAMPLE, needs_sample

SCRIPT = Path(__file__).parents[2] / "ForNet.py"
pytestmark = pytest.mark.skipif(int(datasets.__version__.split(".")[0]) >= 4, reason="this datasets runs no scripts")


@pytest.fixture
def folder(tmp_path):
    write_release(tmp_path / "patches", tmp_path / "pictures", splits=("train", "validation"), shards=2, each=3)
    return tmp_path


def load(folder, *, script=SCRIPT, **keywords):
    defaults = {
        "patches": str(folder / "patches"),
        "imagenet_dir": str(folder / "pictures"),
        "cache_dir": str(folder / "cache"),
        "trust_remote_code": True,
    }
    return datasets.load_dataset(str(script), **{**defaults, **keywords})


def test_the_script_gives_what_the_library_gives(folder):
    expected = load_dataset(
        patches=folder / "patches", imagenet_dir=folder / "pictures", cache_dir=folder / "other", split="train"
    )
    assert stored(load(folder, split="train")) == stored(expected)


def test_without_a_split_all_are_given(folder):
    assert {name: len(rows) for name, rows in load(folder).items()} == {"train": 6, "validation": 6}


def test_patches_beside_the_script_are_the_default(folder):
    shutil.copy(SCRIPT, folder / "ForNet.py")
    assert len(load(folder, script=folder / "ForNet.py", patches=None, split="validation")) == 6


def test_the_second_load_uses_the_cache_even_if_the_script_changed(folder):
    script = folder / "ForNet.py"
    shutil.copy(SCRIPT, script)
    first = stored(load(folder, script=script, split="train"))
    for image in (folder / "pictures").rglob("*.JPEG"):
        image.write_bytes(b"not read again")
    script.write_text(script.read_text() + "\n# edited\n")
    assert stored(load(folder, script=script, split="train")) == first


def test_two_workers_give_the_same_rows_in_the_same_order(folder, monkeypatch):
    expected = stored(load(folder, split="train", cache_dir=str(folder / "other")))
    monkeypatch.setenv("MAX_WORKERS", "2")
    rows = load(folder, split="train")
    assert len(rows.cache_files) == 2
    assert stored(rows) == expected


def test_misspelt_keywords_are_named_with_the_nearest(folder):
    with pytest.raises(ConfigurationError, match=r"found fg_bates; allowed: .*patches.*\. Did you mean fg_bates_n\?"):
        load(folder, fg_bates=3)


def test_validation_is_recombined_as_in_evaluation(folder):
    both = load(folder, flip=0.5)
    images = [[example["image"].tobytes() for example in both["validation"]] for _ in range(2)]
    assert images[0] == images[1]
    images = [[example["image"].tobytes() for example in both["train"]] for _ in range(2)]
    assert images[0] != images[1]


def test_a_wrong_number_of_workers_is_named(folder, monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "abc")
    with pytest.raises(ConfigurationError, match=r"MAX_WORKERS.*'abc'"):
        load(folder, split="train")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_errors_are_ours_from_any_number_of_processes(folder, monkeypatch, workers):
    monkeypatch.setenv("MAX_WORKERS", workers)
    (folder / "pictures/train/bee/train_1_1.JPEG").write_bytes(b"other")
    with pytest.raises(IntegrityError, match=r"row 1 \(train_1_1\)"):
        load(folder, split="train")


def test_only_train_is_there_and_only_train_is_asked_for(folder):
    shutil.rmtree(folder / "pictures/val")
    with pytest.raises(NotFoundError, match=r"for 'validation'.*found train, but no val/.*splits=\['train'\]"):
        load(folder, split="train")
    assert len(load(folder, split="train", splits=["train"])) == 6


@needs_sample
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_old_release_by_script(tmp_path, monkeypatch, workers):
    monkeypatch.setenv("MAX_WORKERS", workers)
    rows = datasets.load_dataset(
        str(SCRIPT),
        trust_remote_code=True,
        patches=str(SAMPLE / "hub"),
        imagenet_dir=str(SAMPLE / "imagenet"),
        cache_dir=str(tmp_path),
    )
    assert {name: len(rows[name]) for name in rows} == {"train": 9, "validation": 9}
    assert rows["train"][0]["foreground"].size == rows["train"][0]["mask"].size
