"""The commands that make, check, pack and show ForNet in files."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from fornet_hf.cli import main
from tests.images import write_release
from tests.layout.conftest import opened


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("MAX_WORKERS", "1")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Patches and images of both splits."""
    pytest.importorskip("skimage")
    write_release(tmp_path / "patches", tmp_path / "pictures", splits=("train", "validation"), shards=2, each=2)
    return tmp_path


def apply(made: Path, *more: str) -> int:
    return main(["apply", "-p", str(made / "patches"), "-in", str(made / "pictures"), "-o", str(made / "out"), *more])


def test_from_patches_to_a_checked_zip(made, capsys):
    assert apply(made, "--keep") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"train: 4 made, 0 already there, in {made / 'out'}",
        f"validation: 4 made, 0 already there, in {made / 'out'}",
    ]
    assert main(["pack", str(made / "out")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["validate", str(made / "out"), "--patches", str(made / "patches")]) == 0
    assert "train: 4 foregrounds, 4 backgrounds, 4 ratios" in capsys.readouterr().out
    assert (made / "patches/manifest.json").is_file()


def test_zips_and_json(made, capsys):
    assert apply(made, "--zip", "--json", "--split", "train") == 0
    assert json.loads(capsys.readouterr().out) == {"train": {"ok": 4, "already there": 0}}
    assert (made / "out/foregrounds_train.zip").is_file()


@pytest.mark.parametrize("kind", [(), ("--zip",), ("--datasets",)])
def test_images_and_space_are_told_before_and_what_was_there_after(made, capsys, kind):
    for words in ("4 made, 0 already there", "0 made, 4 already there"):
        assert apply(made, "--split", "train", *kind) == 0
        out, err = capsys.readouterr()
        assert out == f"train: {words}, in {made / 'out'}\n"
        if words.startswith("4"):
            line = next(line for line in err.splitlines() if line.startswith("train: 4 images, which take about "))
            assert re.search(r"about [\d.]+ [kM]B when all are there; [\d.]+ [MGT]B are free in ", line)


@pytest.mark.parametrize("kind", [(), ("--zip",), ("--datasets",)])
def test_the_bar_knows_how_many_images_there_are(made, monkeypatch, kind):
    bars = []

    class Bar:
        def __init__(self, items=(), *, desc, total, initial=0, **_):
            self.items, self.desc, self.total, self.n = items, desc, total, initial
            bars.append(self)

        def __iter__(self):
            return iter(self.items)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self, n):
            self.n += n

    monkeypatch.setattr("datasets.utils.tqdm", Bar)
    assert apply(made, "--split", "train", *kind) == 0
    assert [(bar.total, bar.n) for bar in bars if bar.desc.startswith("Applying")] == [(4, 4)]


def test_the_split_that_is_ready_is_named_when_the_other_fails(made, capsys):
    shutil.rmtree(made / "pictures/val")
    assert apply(made) == 1
    out, err = capsys.readouterr()
    assert out == f"train: 4 made, 0 already there, in {made / 'out'}\n"
    assert "has no images for 'validation'" in err


@pytest.mark.parametrize("name", ["-in", "--imagenet-dir", "--imagenet"])
@pytest.mark.parametrize("split", ["val", "validation"])
def test_images_and_splits_have_the_names_that_people_know(made, capsys, name, split):
    words = ["apply", "-p", str(made / "patches"), name, str(made / "pictures"), "-o", str(made / "out")]
    assert main([*words, "--split", split]) == 0
    assert main(["validate", str(made / "out"), "--split", split]) == 0
    assert main(["pack", str(made / "out"), "--split", split]) == 0
    place = ["--patches", str(made / "patches"), name, str(made / "pictures")]
    assert main(["preview", *place, "-o", str(made / "b.png"), "--split", split, "--count", "1"]) == 0
    assert main(["verify", str(made / "patches"), name, str(made / "pictures")]) == 0
    with pytest.raises(SystemExit):
        main([*words, "--split", "test"])


def test_a_datasets_folder(made, capsys):
    assert apply(made, "--datasets") == 0
    assert main(["preview", str(made / "out"), "-o", str(made / "sheet.png"), "--epochs", "2", "--count", "2"]) == 0
    assert opened(made / "sheet.png").width > 800


def test_problems_give_status_1_and_keep_the_patches(made, capsys):
    next((made / "pictures/train").rglob("*.*")).unlink()
    assert apply(made, "--delete") == 1
    out, err = capsys.readouterr()
    assert "1 missing image" in out
    assert "problem: missing image: " in err
    assert "no patches were deleted" in err
    assert (made / "patches/manifest.json").is_file()
    assert main(["validate", str(made / "out"), "--patches", str(made / "patches")]) == 1
    assert "missing: train/foregrounds/" in capsys.readouterr().err


def test_patches_are_deleted_only_on_request(made, capsys):
    assert apply(made, "--delete") == 0
    assert not (made / "patches/manifest.json").exists()
    assert "deleted 5 files" in capsys.readouterr().err


def test_of_the_patches_of_one_split_the_others_are_left_whole(made, capsys):
    assert apply(made, "--split", "train", "--delete") == 0
    assert "deleted 2 files" in capsys.readouterr().err
    assert apply(made) == 0
    assert capsys.readouterr().out == f"validation: 4 made, 0 already there, in {made / 'out'}\n"


def test_links_such_as_the_hubs_cache_has_are_never_deleted(made, capsys):
    shard = next((made / "patches").glob("*.parquet"))
    shard.rename(made / "blob")
    shard.symlink_to(made / "blob")
    assert apply(made, "--delete") == 1
    assert "links are not deleted" in capsys.readouterr().err
    assert not (made / "out").exists()


def test_previews_of_folders_and_patches(made, capsys):
    assert apply(made, "--split", "train") == 0
    options = ["--epochs", "2", "--fg-scale-jitter", "0.1,0.8", "--background-combination", "same"]
    assert main(["preview", str(made / "out"), "-o", str(made / "a.gif"), *options]) == 0
    assert opened(made / "a.gif").n_frames == 2
    place = ["--patches", str(made / "patches"), "-in", str(made / "pictures")]
    assert main(["preview", *place, "-o", str(made / "b.png"), *options]) == 0
    assert opened(made / "b.png").format == "PNG"
    mix = ["--mix", "fmix", "--mix-labels", "visible", "--mix-options", "max_soft=0.2", "each=image"]
    assert main(["preview", *place, "-o", str(made / "c.png"), *mix, "--count", "2"]) == 0
    assert main(["preview", str(made / "out"), "-o", str(made / "c.webp"), "--mix", "background", *options]) == 0
    assert opened(made / "c.webp").n_frames == 2


def test_a_preview_shows_as_many_images_as_were_asked_for(made, capsys):
    """Of four rows three used to be two, as every second one was taken."""
    assert apply(made, "--datasets", "--split", "train") == 0
    for place in (["--patches", str(made / "patches"), "-in", str(made / "pictures")], [str(made / "out")]):
        heights = []
        for count in ("2", "3", "4", "9"):
            assert main(["preview", *place, "-o", str(made / "a.png"), "--epochs", "1", "--count", count]) == 0
            heights.append(opened(made / "a.png").height)
        assert heights[0] < heights[1] < heights[2] == heights[3]


def test_there_is_nothing_to_show_of_no_rows(tmp_path, capsys):
    write_release(tmp_path / "patches", tmp_path / "pictures", each=0)
    (tmp_path / "pictures/train/ant").mkdir(parents=True)
    place = ["--patches", str(tmp_path / "patches"), "-in", str(tmp_path / "pictures")]
    assert main(["preview", *place, "-o", str(tmp_path / "a.png")]) == 1
    assert f"nothing to show of 'train' in {tmp_path / 'patches'}; found no row" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["preview"], "nothing to show"),
        (["preview", "nowhere", "-o", "a.txt"], "no image to write; found a.txt"),
        (["preview", "nowhere"], "nothing to show of 'train'"),
        (["preview", "nowhere", "--fg-bates-n", "many"], "nothing to show"),
        (["preview", "nowhere", "--mix-labels", "visible"], "--mix-labels and --mix-options need --mix"),
        (
            ["preview", "nowhere", "--mix", "mixup", "--mix-options", "decay=2"],
            "mixup has no such option; found decay",
        ),
        (
            ["preview", "nowhere", "--mix", "fmix", "--mix-options", "decay"],
            "mix_options is not allowed; found decay",
        ),
        (["validate", "nowhere"], "holds no ForNet"),
        (["pack", "nowhere"], "no folders to pack"),
        (["apply", "-p", "no where", "-o", "x"], "no such folder or repository"),
    ],
)
def test_errors_are_a_line_that_says_what_to_do(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert said in err


def test_a_split_that_the_patches_lack_is_named(tmp_path, capsys):
    write_release(tmp_path / "patches", tmp_path / "pictures", each=1)
    place = ["--patches", str(tmp_path / "patches"), "-in", str(tmp_path / "pictures")]
    assert main(["preview", *place, "--split", "validation", "-o", str(tmp_path / "a.png")]) == 1
    assert "no such split; found ['validation']; allowed: ['train']" in capsys.readouterr().err


def test_a_file_in_the_place_of_a_folder_is_named(made, capsys):
    (made / "out").write_bytes(b"")
    assert apply(made) == 1
    place = ["--patches", str(made / "patches"), "-in", str(made / "pictures")]
    assert main(["preview", *place, "-o", str(made / "out/a.png")]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 2
    assert all(str(made / "out") in line for line in lines)


def test_folders_beside_zips_are_refused(made, capsys):
    gone = next((made / "pictures/train").rglob("*.*"))
    data = gone.read_bytes()
    gone.unlink()
    assert apply(made, "--split", "train") == 1
    assert main(["pack", str(made / "out")]) == 0
    gone.write_bytes(data)
    assert apply(made, "--split", "train") == 1
    assert "foregrounds_train.zip" in (said := capsys.readouterr().err)
    assert "Add --zip" in said
    assert apply(made, "--split", "train", "--zip") == 0
    assert main(["validate", str(made / "out"), "--patches", str(made / "patches"), "--split", "train"]) == 0


def test_no_zip_is_written_without_images(made, capsys):
    assert apply(made, "--split", "train") == 0
    for path in (made / "pictures/train").rglob("*.*"):
        path.unlink()
    assert apply(made, "--split", "train", "--zip") == 1
    assert not list((made / "out").glob("*.zip"))
    for kind in ("foregrounds", "backgrounds"):
        shutil.rmtree(made / "out/train" / kind)
        (made / "out/train" / kind / "ant").mkdir(parents=True)
    assert main(["pack", str(made / "out")]) == 1
    assert "no folders to pack" in capsys.readouterr().err
    assert not list((made / "out").glob("*.zip"))


def test_a_parameter_that_is_not_allowed_is_named(made, capsys):
    assert apply(made, "--split", "train") == 0
    assert main(["preview", str(made / "out"), "-o", str(made / "a.png"), "--fg-bates-n", "many"]) == 1
    assert "fg_bates_n is not allowed; found 'many'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["apply", "validate", "pack", "preview", "demo"])
def test_help_is_there(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"fornet {command}" in capsys.readouterr().out


def test_the_demo_says_where_it_is_when_the_source_is_not_there(capsys, monkeypatch, tmp_path):
    from fornet_hf.cli import demo

    monkeypatch.setattr(demo, "PLACES", (tmp_path,))
    assert main(["demo"]) == 1
    assert "make demo" in capsys.readouterr().err
