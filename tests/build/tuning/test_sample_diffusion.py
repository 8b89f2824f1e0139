"""The command, with a tiny Stable Diffusion that knows two prompts."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import sample_diffusion
from fornet_hf.sources.folder import FolderSource
from producers.diffusion.concepts import Concepts

QUICK = ["--device", "cpu", "--precision", "float32", "--side", "64", "--steps", "2"]


@pytest.fixture(scope="module")
def model(weights, tmp_path_factory):
    folder = shutil.copytree(weights, tmp_path_factory.mktemp("tuned") / "model")
    Concepts.of("cat").write(folder)
    return folder


@pytest.fixture
def sample(model, tmp_path):
    def sample(name, *more, source=model):
        return sample_diffusion.main([str(source), str(tmp_path / name), *QUICK, *map(str, more)])

    return sample


def pixels(folder):
    return {path.name: np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.JPEG"))}


def test_images_lie_as_segment_reads_them(sample, tmp_path, capsys):
    assert sample("out", "--count", 3, "--class", "cat") == 0
    assert capsys.readouterr().out.startswith("3 images made\n")
    refs = FolderSource(tmp_path / "out").list("train")
    assert [(ref.key, ref.folder_class) for ref in refs] == [(f"cat_{number:06}", "cat") for number in range(3)]
    assert {one.shape for one in pixels(tmp_path / "out").values()} == {(64, 64, 3)}


def test_an_image_depends_on_its_number_alone(sample, tmp_path, capsys):
    assert sample("whole", "--count", 4, "--batch-size", 4) == 0
    assert sample("parts", "--count", 1, "--first", 2, "--batch-size", 1) == 0
    assert sample("parts", "--count", 4, "--batch-size", 3) == 0
    assert "3 images made, 1 were there" in capsys.readouterr().out
    whole, parts = (pixels(tmp_path / name) for name in ("whole", "parts"))
    assert list(whole) == list(parts) == [f"object_{number:06}.JPEG" for number in range(4)]
    for name, one in whole.items():
        assert np.abs(one.astype(int) - parts[name]).max() <= 3  # JPEG of what may differ in the last bit
    assert np.abs(whole["object_000000.JPEG"].astype(int) - whole["object_000001.JPEG"]).mean() > 5


def test_each_concept_has_its_prompt_and_guidance_leads_away_from_the_other(sample, tmp_path):
    for name, more in {
        "object": [],
        "background": ["--concept", "background"],
        "guided": ["--guidance", "0"],
        "prompted": ["--prompt", "a photo of a background"],
    }.items():
        assert sample(name, "--count", 1, *more) == 0
    made = {name: next(iter(pixels(tmp_path / name).values())) for name in ("object", "background", "guided")}
    prompted = next(iter(pixels(tmp_path / "prompted").values()))
    assert (made["object"] != made["background"]).any()
    assert np.array_equal(made["guided"], made["background"])  # at 0 only the other one is left
    assert np.array_equal(prompted, made["background"])
    assert (
        json.loads((tmp_path / "background" / "background.json").read_text())["prompt"] == "a photo of a background"
    )


def test_other_settings_are_refused_where_images_lie(sample, capsys):
    assert sample("out", "--count", 1) == 0
    assert sample("out", "--count", 2, "--seed", 1) == 1
    assert "object.json: begun with other settings" in capsys.readouterr().err
    assert sample("out", "--count", 1, "--seed", 1, "--class", "other") == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [(["--side", 100], "--side is not allowed"), (["--class", "a/b"], "class"), (["--guidance", -1], "--guidance")],
)
def test_what_is_wrong_is_said(sample, capsys, more, message):
    assert sample("out", "--count", 1, *more) == 1
    assert message in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said_before_anything_is_loaded(sample, capsys):
    assert sample("out", "--count", 1, "--device", "cuda", source="nobody/nothing") == 1
    assert "torch sees no GPU" in capsys.readouterr().err


def test_a_model_without_prompts_needs_one(sample, weights, capsys):
    assert sample("out", "--count", 1, source=weights) == 1
    assert "was not fine-tuned on two prompts" in capsys.readouterr().err
    assert sample("out", "--count", 1, "--prompt", "a cat", source=weights) == 0


def test_more_steps_than_there_are_make_nothing(sample, tmp_path, capsys):
    assert sample("out", "--count", 1, "--steps", 1000) == 1
    assert "steps of DDIM; found 1000; allowed: 1 to 500" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
