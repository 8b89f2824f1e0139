import sys
import types

import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.encoding import Encoding
from producers.registry import Choice, find
from producers.step import ModelStep
from producers.work.settings import ModelSettings


def test_a_run_goes_on_with_the_commits_that_it_began_with():
    asked = ModelSettings(
        detector=Choice("grounding-dino"),
        segmenter=Choice("sam-hf", None, "main"),
        infiller=Choice("opencv"),
        encoding=Encoding(),
    )
    noted = {"detector": {"revision": "c" * 40}, "segmenter": {"revision": "d" * 40}, "infiller": {"revision": "5.0"}}
    begun = asked.as_begun(noted)
    assert begun.detector == Choice("grounding-dino", None, "c" * 40)
    assert (begun.segmenter, begun.infiller) == (asked.segmenter, asked.infiller)
    assert asked.as_begun({}) == asked


class Layers(ModelStep):
    needs, gives = frozenset({"prompts"}), frozenset({"versions", "infilled"})


class Painter(ModelStep):
    stage, needs, gives = "infill", frozenset({"versions"}), frozenset({"infilled"})


@pytest.fixture
def steps(monkeypatch):
    monkeypatch.setitem(sys.modules, "own_steps", module := types.ModuleType("own_steps"))
    module.Layers, module.Painter = Layers, Painter


def settings(segmenter, infiller, refiner):
    choices = {"segmenter": segmenter, "infiller": infiller, "refiner": refiner}
    detector = Choice("centred") if segmenter == "grabcut" else None
    given = {role: name and Choice.parse(name) for role, name in choices.items()}
    return ModelSettings(detector=detector, **given, encoding=Encoding())


@pytest.mark.parametrize(
    ("refiner", "pinned"),
    [
        ("inpaint-difference=attentive-eraser=a/b", "inpaint-difference=attentive-eraser=a/b@" + "e" * 40),
        ("inpaint-difference=attentive-eraser@main", "inpaint-difference=attentive-eraser@main"),
        ("inpaint-difference=opencv", "inpaint-difference=opencv"),
        ("inpaint-difference", "inpaint-difference"),
    ],
)
def test_a_refiner_goes_on_with_the_commit_of_its_own_infiller(refiner, pinned):
    begun = settings("grabcut", "opencv", refiner).as_begun({"refiner": {"revision": "e" * 40}})
    assert str(begun.refiner) == pinned


def test_a_refiner_is_part_of_a_chain(steps):
    found = settings("grabcut", "opencv", "inpaint-difference")
    assert list(found.choices()) == ["detector", "segmenter", "infiller", "refiner"]
    assert settings("grabcut", "own_steps:Painter", "inpaint-difference=opencv").producer()["refiner"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            ("own_steps:Layers", None, "inpaint-difference=opencv"),
            "masks that the segmenter has infilled already",
        ),
        (("grabcut", "own_steps:Painter", "inpaint-difference"), "Name one: --refine inpaint-difference=INFILLER"),
        (
            ("grabcut", "opencv", "inpaint-difference=own_steps:Painter"),
            "own_steps:Painter, which is a step by itself",
        ),
    ],
)
def test_a_refiner_without_an_infiller_that_it_can_use_is_refused(steps, models, message):
    with pytest.raises(ConfigurationError, match=message):
        settings(*models)


def test_licences_of_published_weights_are_noted_and_those_of_ones_own_are_not():
    given = {"detector": Choice("grounding-dino"), "segmenter": Choice("sam"), "infiller": Choice("opencv")}
    noted = ModelSettings(**given, encoding=Encoding()).producer()
    assert noted["licences"] == {"detector": "Apache-2.0", "segmenter": "Apache-2.0"}
    own = {**given, "detector": Choice("grounding-dino", "mine"), "segmenter": Choice("grabcut")}
    assert "licences" not in ModelSettings(**own, encoding=Encoding()).producer()
    refined = ModelSettings(**own, refiner=Choice("inpaint-difference", "lama"), encoding=Encoding())
    assert refined.producer()["licences"] == {"refiner": find("infiller", "lama").licence}


def test_speedups_are_no_part_of_a_run():
    given = {"detector": Choice("centred"), "segmenter": Choice("grabcut"), "infiller": Choice("opencv")}
    plain, fast = (ModelSettings(**given, encoding=Encoding(), speedups=frozenset(one)) for one in ((), ("pinned",)))
    assert plain.producer() == fast.producer()
