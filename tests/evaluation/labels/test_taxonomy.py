"""Groups of classes."""

import json

import numpy as np
import pytest

from fornet_hf.classes import class_folders, class_names, imagenet_classes
from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.evaluation.labels import NO_LABEL
from fornet_hf.evaluation.labels.taxonomy import in9_of_imagenet, read_taxonomy, taxonomy_of

# The noun of WordNet that each class of ImageNet-9 lies below, in the official order.
NOUNS = ("dog", "bird", "vehicle", "reptile", "carnivore", "insect", "musical instrument", "primate", "fish")
OWN = ["ant", "bee", "cat"]


def test_the_nine_classes_have_as_many_of_imagenet_as_the_official_mapping():
    counts = np.bincount(in9_of_imagenet() + 1)
    assert counts.tolist() == [630, 116, 52, 42, 36, 35, 27, 26, 20, 16]


def test_each_class_lies_below_the_noun_of_its_group():
    for entry, group in zip(imagenet_classes(), in9_of_imagenet(), strict=True):
        if group != NO_LABEL:
            assert any(noun.endswith(NOUNS[group]) for noun in entry.lineage), entry


def test_domestic_cats_are_no_carnivores_there():
    assert set(in9_of_imagenet()[281:286]) == {NO_LABEL}


@pytest.mark.parametrize("names", [class_names(), class_folders()])
def test_imagenet_has_nine_groups_in_official_folders(names):
    taxonomy = taxonomy_of(names)
    assert taxonomy.folders[::8] == ("00_dog", "08_fish")
    assert taxonomy.folders[2] == "02_wheeled vehicle"
    assert np.array_equal(taxonomy.groups, in9_of_imagenet())


def test_some_classes_of_imagenet_in_any_order_have_their_nine_groups():
    assert taxonomy_of(["n01440764", "hen", "n02085620"], "in9").groups.tolist() == [8, 1, 0]


def test_other_sets_keep_their_classes():
    taxonomy = taxonomy_of(OWN)
    assert taxonomy.folders == ("00_ant", "01_bee", "02_cat")
    assert taxonomy.groups.tolist() == [0, 1, 2]


def test_folders_of_many_classes_sort_in_their_order():
    folders = taxonomy_of([str(number) for number in range(101)]).folders
    assert sorted(folders) == list(folders)


def test_nine_groups_of_other_classes_are_refused():
    with pytest.raises(ConfigurationError, match=r"not ImageNet's.*ant"):
        taxonomy_of(OWN, "in9")


def test_one_class_is_refused():
    with pytest.raises(ConfigurationError, match="2 or more"):
        taxonomy_of(["ant"])


def test_a_file_says_groups_by_names_wnids_and_indices(tmp_path):
    file = tmp_path / "groups.json"
    file.write_text(json.dumps({"pet": ["n02123045", 282], "fish": ["tench, Tinca tinca"]}))
    taxonomy = taxonomy_of(class_names(), file)
    assert taxonomy.names == ("pet", "fish")
    assert taxonomy.groups[[281, 282, 0, 1]].tolist() == [0, 0, 1, NO_LABEL]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "[" * 100_000,
        '{"a": ["ant"]}',
        '{"a": ["ant"], "a": ["bee"]}',
        '{"a": ["ant"], "b": []}',
        '{"a": ["ant"], "b": [true]}',
        '{"a": ["ant"], "b": ["dog"]}',
        '{"a": ["ant"], "b": [3]}',
        '{"a": ["ant"], "b": [-1]}',
        '{"a": ["ant"], "b": [0]}',
        '{"../a": ["ant"], "b": ["bee"]}',
    ],
)
def test_files_that_say_something_else_are_refused(tmp_path, text):
    file = tmp_path / "groups.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"groups\.json"):
        read_taxonomy(file, OWN)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"none\.json"):
        taxonomy_of(OWN, tmp_path / "none.json")
