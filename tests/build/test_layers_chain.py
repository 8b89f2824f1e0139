"""What follows a training of layers, with a tiny generator that was not trained."""

import argparse
import json

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("safetensors")
pytest.importorskip("cv2")

import train_layers  # noqa: E402
from fornet_hf.errors import ConfigurationError, NotFoundError  # noqa: E402
from layers_chain import add_chain, chain, check_chain  # noqa: E402
from producers.training.run import TrainingRun  # noqa: E402
from tests.build.distil.drawn import write_drawn  # noqa: E402
from tests.build.layers.tiny_generator import write_tiny  # noqa: E402
from tests.one_thread import one_thread  # noqa: E402

__all__ = ["one_thread"]

UNET = [f"--unet={one}" for one in ("widths=4,8", "side=16", "batch-size=4", "steps=2", "every=1")]


@pytest.fixture
def training(tmp_path):
    """The folder of a training that kept two generators; the first one has the lower FID."""
    folder = tmp_path / "training"
    for kimg, fid in ((1, 20.0), (2, 30.0)):
        write_tiny(folder / "generators" / f"{kimg:06}.safetensors", seed=kimg)
        TrainingRun(folder).note(kimg, kimg=kimg, kept=True, fid=fid)
    return folder


def arguments(*words):
    parser = argparse.ArgumentParser()
    add_chain(parser)
    given = parser.parse_args(["--auto", "--n", "6", *UNET, *map(str, words)])
    given.device, given.precision = "cpu", "float32"
    return given


def test_the_best_generator_trains_a_segmenter_that_is_scored_on_real_images(training, tmp_path, capsys):
    real = write_drawn(tmp_path / "real", 3)
    given = arguments("--truth", *real, "--crop", 16)
    check_chain(given)
    result = chain(training, given)
    assert result.folder == training / "auto" / "000001-6"
    assert result.generator.name == "000001.safetensors"
    printed = capsys.readouterr().out
    for line in ("python build/sample_layers.py", "6 samples made", "--preset layers", "best after step", "3 masks"):
        assert line in printed
    noted = json.loads((result.folder / "chain.json").read_text())
    assert {(one["measure"], one["part"], one["n"]) for one in noted["real"]} >= {
        ("iou", "pooled", 3),
        ("iou", "per image", 3),
        ("dice", "pooled", 3),
        ("dice", "per image", 3),
    }
    assert "on 3 real images, per image: iou" in result.summary()
    assert noted["made"] == result.made


def test_a_chain_goes_on_where_it_was(training, tmp_path, capsys):
    real = write_drawn(tmp_path / "real", 2)
    result = chain(training, arguments("--truth", *real))
    (result.folder / "samples" / "masks" / "object_000003.png").unlink()
    (result.folder / "found" / "0001.png").unlink()
    segmenter = result.folder / "unet" / "segmenter.safetensors"
    before = segmenter.stat().st_mtime_ns
    capsys.readouterr()
    assert chain(training, arguments("--truth", *real)) == result
    assert "1 samples made, 5 were there" in capsys.readouterr().out
    assert segmenter.stat().st_mtime_ns == before


def test_each_generator_and_number_of_samples_has_a_folder(training):
    TrainingRun(training).note(3, kimg=2, kept=True, fid=10.0)
    first, second = (chain(training, arguments("--n", n)).folder.name for n in (5, 6))
    third = chain(training, arguments("--until-kimg", 1)).folder.name
    assert [first, second, third] == ["000002-5", "000002-6", "000001-6"]


def test_without_a_truth_there_are_scores_on_held_back_samples(training):
    result = chain(training, arguments())
    assert not result.real
    assert result.summary().startswith("on samples that were held back: iou ")


def test_other_real_images_are_not_mixed_with_those_before(training, tmp_path):
    chain(training, arguments("--truth", *write_drawn(tmp_path / "real", 2)))
    with pytest.raises(ConfigurationError, match=r"truth.json: begun with other settings"):
        chain(training, arguments("--truth", *write_drawn(tmp_path / "others", 2)))


def test_a_segmenter_that_finds_nothing_scores_nothing(training, tmp_path):
    """Its masks are empty, which is no reason to leave the images out."""
    images, masks = write_drawn(tmp_path / "real", 2)
    first = chain(training, arguments("--truth", images, masks))
    for path in (first.folder / "found").glob("*.png"):
        Image.fromarray(np.zeros_like(np.asarray(Image.open(path)))).save(path)
    found = chain(training, arguments("--truth", images, masks))
    assert {(one.value, one.n) for one in found.real if one.measure == "iou"} == {(0.0, 2)}


def test_the_command_trains_samples_distils_and_scores(tmp_path, capsys):
    """Twice: the second time all is there."""
    images, masks = write_drawn(tmp_path, 12)
    words = [images, tmp_path / "out", "--preset", "quick", "--kimg", "1", "--batch-size", "20", "--auto", "--n", "8"]
    words += [*UNET, "--truth", images, masks, "--device", "cpu", "--precision", "float32"]
    ends = []
    for _ in range(2):
        assert train_layers.main([*map(str, words)]) == 0
        ends.append(capsys.readouterr().out.splitlines()[-3:])
    assert "on 12 real images, pooled: iou" in "".join(ends[0])
    assert ends[0] == ends[1]
    assert len([*(tmp_path / "out" / "auto").rglob("masks/*.png")]) == 8


def test_a_training_that_is_not_done_has_no_chain_yet(tmp_path, capsys):
    images, _ = write_drawn(tmp_path, 4)
    words = [images, tmp_path / "out", "--preset", "quick", "--auto", "--minutes", "0", "--device", "cpu"]
    assert train_layers.main([*map(str, words), "--precision", "float32"]) == 0
    assert "the same command goes on from here" in capsys.readouterr().out
    assert not (tmp_path / "out" / "auto").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--unet", "steps"], "--unet is not allowed"),
        (["--unet", "steps=0"], "--steps; found 0"),
        (["--crop", "64"], "--crop is not allowed; found 64; allowed: with --truth"),
    ],
)
def test_what_cannot_be_is_refused_before_the_training(words, message):
    with pytest.raises(ConfigurationError, match=message):
        check_chain(arguments(*words))


def test_a_truth_that_is_not_there_is_refused_before_the_training(tmp_path):
    with pytest.raises(NotFoundError):
        check_chain(arguments("--truth", tmp_path, tmp_path / "none"))


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="--auto with several processes"):
        check_chain(arguments())
