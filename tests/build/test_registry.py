import importlib
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from fornet_hf.errors import ConfigurationError, MissingDependencyError
from producers.registry import MODELS, Choice, find
from producers.step import GIVEN


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("lama", Choice("lama")),
        ("lama@e3aa", Choice("lama", revision="e3aa")),
        ("sam-hf=facebook/sam-vit-base", Choice("sam-hf", "facebook/sam-vit-base")),
        ("sam=weights/sam.pth@vit_h", Choice("sam", "weights/sam.pth", "vit_h")),
        ("my_models.cut:Cutter=a.pth@1", Choice("my_models.cut:Cutter", "a.pth", "1")),
    ],
)
def test_a_choice_is_read_as_it_is_written(text, choice):
    assert Choice.parse(text) == choice
    assert str(choice) == text


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(
        ConfigurationError, match=r"background-diffusion, flux-fill, lama, opencv, or PACKAGE\.MODULE:FUNCTION"
    ):
        find("infiller", "paint")


@pytest.mark.parametrize(
    ("role", "text", "message"),
    [
        ("segmenter", "grabcut=weights.pt", "segmenter grabcut takes no model; found grabcut=weights.pt"),
        ("infiller", "opencv=weights.pt@1", "opencv takes no model"),
        ("infiller", "opencv@1", "opencv takes no revision"),
        ("detector", "centred=boxes.json", "centred takes no model"),
        ("detector", "boxes=a@b.json", "boxes takes no revision; found boxes=a@b.json; allowed: boxes=a"),
        ("detector", "boxes", "the detector boxes needs a file; allowed: --detector boxes=FILE"),
        ("refiner", "inpaint-difference=paint", "unknown infiller; found 'paint'; allowed: attentive-eraser"),
        ("refiner", "inpaint-difference=opencv@1", "opencv takes no revision"),
        ("refiner", "inpaint-difference@1", "has no infiller of its own that takes this; found @1"),
        (
            "segmenter",
            "sam@huge",
            "revision of the segmenter sam; found 'huge'; allowed: vit_b, vit_l, vit_h",
        ),
    ],
)
def test_what_a_model_does_not_take_is_refused(role, text, message):
    choice = Choice.parse(text)
    with pytest.raises(ConfigurationError, match=message):
        find(role, choice.name).check(choice)


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("segmenter", "grabcut"),
        ("detector", "boxes=a.json"),
        ("infiller", "lama=a.pt@1"),
        ("segmenter", "sam=a@vit_h"),
        ("refiner", "inpaint-difference"),
        ("refiner", "inpaint-difference=lama@0123"),
    ],
)
def test_what_a_model_takes_passes(role, text):
    choice = Choice.parse(text)
    find(role, choice.name).check(choice)


@pytest.mark.parametrize(
    ("role", "name", "module", "line"),
    [
        ("detector", "grounding-dino", "transformers", "pip install torch transformers"),
        ("segmenter", "sam", "segment_anything", "pip install torch torchvision segment-anything"),
        ("segmenter", "sam-hf", "transformers", "pip install torch transformers"),
        ("infiller", "lama", "simple_lama_inpainting", "pip install --no-deps simple-lama-inpainting==0.1.2"),
        ("infiller", "attentive-eraser", "diffusers", "pip install torch 'diffusers>=0.40' transformers accelerate"),
    ],
)
def test_a_missing_package_is_an_error_with_the_line_to_type(monkeypatch, tmp_path, role, name, module, line):
    for imported in [one for one in sys.modules if one.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, imported)
    monkeypatch.setitem(sys.modules, module, None)
    for loaded in (*(model.target.partition(":")[0] for model in MODELS), "producers.infill.eraser_attention"):
        package, _, leaf = loaded.rpartition(".")
        monkeypatch.delitem(sys.modules, loaded, raising=False)
        monkeypatch.delattr(importlib.import_module(package), leaf, raising=False)
    with pytest.raises(MissingDependencyError, match=line):
        find(role, name).load(Choice(name, str(tmp_path)))


def test_every_name_of_a_role_is_registered_once():
    names = [(model.role, model.name) for model in MODELS]
    assert len(set(names)) == len(names)


def test_every_model_says_what_it_needs_and_gives():
    assert all(one.step.needs and one.step.gives and not one.step.gives & GIVEN for one in MODELS)


def choice(name, **settings):
    return Choice(name, settings=tuple(settings.items()))


def test_settings_reach_a_model_that_is_its_own_settings():
    model = find("infiller", "opencv").load(choice("opencv", method="ns", feather="3"))
    assert (model.method, model.feather, model.working_side) == ("ns", 3, 128)


@pytest.mark.parametrize(
    ("role", "given", "message"),
    [
        ("infiller", choice("opencv", feathers="3"), "unknown setting of the infiller opencv; found 'feathers'"),
        ("infiller", choice("opencv", method="paint"), "method is not allowed; found 'paint'; allowed: telea or ns"),
        ("infiller", choice("attentive-eraser", steps="0"), "steps is not allowed; found 0; allowed: 1 or more"),
        ("segmenter", choice("grabcut", margin="wide"), "the setting margin of the segmenter grabcut; found 'wide'"),
        ("segmenter", choice("sam", steps="4"), "the segmenter sam has no settings; found steps. Leave --set out."),
    ],
)
def test_settings_are_checked_before_a_model_is_loaded(role, given, message):
    with pytest.raises(ConfigurationError, match=message):
        find(role, given.name).check(given)


def test_settings_are_known_without_heavy_packages():
    targets = [model.settings.partition(":")[0] for model in MODELS if model.settings]
    code = f"import sys; [__import__(one) for one in {targets}]; print('torch' in sys.modules)"
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=paths)
    assert len(targets) > 2
    assert done.stdout.split() == ["False"]


def test_a_refiner_may_have_an_infiller_of_its_own_with_settings():
    given = Choice("inpaint-difference", "opencv", settings=(("close", "1"), ("infiller.method", "ns")))
    model = find("refiner", given.name).load(given)
    assert (model.settings.close, model.infiller.method) == (1, "ns")
    assert find("refiner", given.name).load(Choice(given.name)).infiller is None
    wrong = replace(given, settings=(("infiller.steps", "9"),))
    with pytest.raises(ConfigurationError, match="unknown setting of the infiller opencv; found 'steps'"):
        find("refiner", given.name).check(wrong)
    with pytest.raises(ConfigurationError, match=r"no infiller of its own that takes this; found infiller\.steps"):
        find("refiner", given.name).check(replace(wrong, model=None))
