import importlib
import sys

import pytest

from fornet_hf.errors import ConfigurationError, MissingDependencyError
from producers.choices import DETECTORS, INFILLERS, SEGMENTERS, Choice, check


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("lama", Choice("lama")),
        ("lama@e3aa", Choice("lama", revision="e3aa")),
        ("sam-hf=facebook/sam-vit-base", Choice("sam-hf", "facebook/sam-vit-base")),
        ("sam=weights/sam.pth@vit_h", Choice("sam", "weights/sam.pth", "vit_h")),
    ],
)
def test_a_choice_is_read_as_it_is_written(text, choice):
    assert Choice.parse(text) == choice
    assert str(choice) == text


def test_an_unknown_method_is_refused_with_those_there_are():
    with pytest.raises(ConfigurationError, match="attentive-eraser, lama, opencv"):
        check(Choice("paint"), "infiller", INFILLERS)


@pytest.mark.parametrize(
    ("known", "text", "message"),
    [
        (SEGMENTERS, "grabcut=weights.pt", "segmenter grabcut takes no model; found grabcut=weights.pt"),
        (INFILLERS, "opencv=weights.pt@1", "opencv takes no model"),
        (INFILLERS, "opencv@1", "opencv takes no revision"),
        (DETECTORS, "centred=boxes.json", "centred takes no model"),
        (DETECTORS, "boxes=a@b.json", "boxes takes no revision; found boxes=a@b.json; allowed: boxes=a"),
    ],
)
def test_what_a_method_does_not_take_is_refused(known, text, message):
    with pytest.raises(ConfigurationError, match=message):
        check(Choice.parse(text), "segmenter", known)


@pytest.mark.parametrize(
    ("known", "text"),
    [(SEGMENTERS, "grabcut"), (DETECTORS, "boxes=a.json"), (INFILLERS, "lama=a.pt@1"), (SEGMENTERS, "sam=a@vit_h")],
)
def test_what_a_method_takes_passes(known, text):
    check(Choice.parse(text), "method", known)


@pytest.mark.parametrize(
    ("known", "name", "module", "line"),
    [
        (DETECTORS, "grounding-dino", "transformers", "pip install torch transformers"),
        (SEGMENTERS, "sam", "segment_anything", "pip install torch torchvision segment-anything"),
        (SEGMENTERS, "sam-hf", "transformers", "pip install torch transformers"),
        (INFILLERS, "lama", "simple_lama_inpainting", "pip install --no-deps simple-lama-inpainting==0.1.2"),
        (INFILLERS, "attentive-eraser", "diffusers", "pip install torch 'diffusers>=0.40' transformers accelerate"),
    ],
)
def test_a_missing_package_is_an_error_with_the_line_to_type(monkeypatch, known, name, module, line):
    monkeypatch.setitem(sys.modules, module, None)
    for loaded in _MODELS:
        package, _, module = loaded.rpartition(".")
        monkeypatch.delitem(sys.modules, loaded, raising=False)
        monkeypatch.delattr(importlib.import_module(package), module, raising=False)
    with pytest.raises(MissingDependencyError, match=line):
        known[name](Choice(name), lambda: pytest.fail("nothing is placed"), {})


_MODELS = {
    "producers.detect.grounding_dino",
    "producers.segment.sam",
    "producers.segment.sam_hf",
    "producers.infill.lama",
    "producers.infill.attentive_eraser",
    "producers.infill.eraser_attention",
}
