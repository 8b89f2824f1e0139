"""Outputs and classes: by order, by name, by ImageNet's, by a file, and refused where it is not clear."""

import json

import numpy as np
import pytest

from fornet_hf.classes import class_folders, class_names
from fornet_hf.errors import ConfigurationError, NotFoundError
from fornet_hf.evaluation.labels.mapping import Grouped, label_map, read_labels
from fornet_hf.evaluation.labels.taxonomy import in9_of_imagenet, taxonomy_of

PETS = ("cat", "dog", "fish")
FIRST_NAMES = [name.partition(",")[0] for name in class_names()]


@pytest.mark.parametrize("names", [(), PETS, ("LABEL_0", "LABEL_1", "LABEL_2"), ("Cat", "00_dog", "x")], ids=str)
def test_outputs_are_in_the_order_of_the_classes(names):
    found = label_map(3, PETS, names=names)
    assert found.classes.tolist() == [0, 1, 2]
    assert not found.note


def test_outputs_in_another_order_are_mapped_by_name_and_noted():
    found = label_map(3, PETS, names=("fish", "Cat", "DOG"))
    assert found.classes.tolist() == [2, 0, 1]
    assert "mapped by name" in found.note


def test_an_order_that_is_not_clear_is_refused():
    with pytest.raises(ConfigurationError, match=r"another order.*output 0 is called 'dog'.*--labels"):
        label_map(3, PETS, names=("dog", "cat", "bird"))


@pytest.mark.parametrize("names", [("none", *PETS), PETS[:2]], ids=str)
def test_another_count_of_names_is_refused(names):
    with pytest.raises(ConfigurationError, match=f"names of other outputs; found {len(names)} names for 3 outputs"):
        label_map(3, PETS, names=names)


@pytest.mark.parametrize("outputs", [2, 4, 1000, 1001, 21841])
def test_other_counts_are_refused(outputs):
    with pytest.raises(ConfigurationError, match=f"{outputs} outputs for 3 classes, cat; dog; fish.*--labels"):
        label_map(outputs, PETS)


@pytest.mark.parametrize("outputs", [999, 1001, 21841])
@pytest.mark.parametrize("classes", [class_folders(), class_names(), class_folders()[:100]])
def test_other_counts_are_refused_for_imagenet_too(outputs, classes):
    with pytest.raises(ConfigurationError, match=f"{outputs} outputs"):
        label_map(outputs, classes)


@pytest.mark.parametrize("every", [class_folders(), class_names()], ids=["wnids", "names"])
@pytest.mark.parametrize(
    "names", [(), class_names(), FIRST_NAMES, class_folders()], ids=["", "all", "first", "wnids"]
)
def test_a_thousand_outputs_see_a_part_of_imagenet(every, names):
    classes = [every[number] for number in (7, 3, 999)]
    found = label_map(1000, classes, names=names).classes
    assert found[[7, 3, 999]].tolist() == [0, 1, 2]
    assert np.count_nonzero(found >= 0) == 3
    assert np.array_equal(label_map(1000, every, names=names).classes, np.arange(1000))


def test_a_thousand_outputs_in_another_order_see_a_part_of_imagenet():
    shuffled = np.random.default_rng(0).permutation(1000)
    names = [class_names()[number] for number in shuffled]
    found = label_map(1000, [class_folders()[number] for number in (7, 3)], names=names)
    assert shuffled[found.classes.tolist().index(0)] == 7
    assert shuffled[found.classes.tolist().index(1)] == 3
    assert "another order" in found.note


@pytest.mark.parametrize("classes", [sorted(class_names()), sorted(FIRST_NAMES)], ids=["all", "first"])
def test_a_thousand_outputs_without_names_for_imagenet_in_another_order_are_refused(classes):
    for names in ((), [f"LABEL_{number}" for number in range(1000)]):
        with pytest.raises(ConfigurationError, match=r"outputs can be in either order.*--labels"):
            label_map(1000, classes, names=names)
    strangers = [f"kind {number}" for number in range(990)]
    assert label_map(1000, [*strangers, *classes[:10]]).classes.tolist() == [*range(1000)]


def test_a_hundred_outputs_of_imagenet_by_their_names():
    wnids = class_folders()[10:110]
    assert np.array_equal(label_map(100, wnids, names=class_names()[10:110]).classes, np.arange(100))
    turned = label_map(100, wnids, names=class_names()[10:110][::-1])
    assert turned.classes.tolist() == list(range(99, -1, -1))


@pytest.mark.parametrize("prefix", [True, False])
def test_a_thousand_outputs_see_imagenet_9(prefix):
    names = taxonomy_of(class_folders(), "in9").names
    classes = [f"{number:02d}_{name}" if prefix else name for number, name in enumerate(names)]
    assert np.array_equal(label_map(1000, classes).classes, in9_of_imagenet())
    assert label_map(9, classes).classes.tolist() == list(range(9))
    with pytest.raises(ConfigurationError, match="1000 outputs"):
        label_map(1000, classes[::-1])


FILES = {
    "list.json": json.dumps([2, "cat", None, -1, "fish"]),
    "object.json": json.dumps({"0": 2, "1": "cat", "4": 2, "2": -1}),
    "table.csv": "output,class\n0,fish\n1,0\n2,\n4,2\n",
    "plain.txt": "0,2\n1,cat\n4,fish\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_it(name, tmp_path):
    (tmp_path / name).write_text(FILES[name])
    found = label_map(5, PETS, names=PETS, file=tmp_path / name)
    assert found.classes.tolist() == [2, 0, -1, -1, 2]
    assert found.note == f"outputs are mapped by {name}; no output means dog"


def test_names_of_classes_in_a_table_may_have_separators_of_lines(tmp_path):
    (tmp_path / "table.csv").write_bytes("0,do\x85g\r\n1,cat\r\n".encode())
    assert read_labels(tmp_path / "table.csv", 2, ["cat", "do\x85g"]).classes.tolist() == [1, 0]


def test_a_table_that_csv_refuses_is_refused(tmp_path):
    (tmp_path / "table.csv").write_text("0," + "a" * 200_000)
    with pytest.raises(ConfigurationError, match="is no map of outputs; found field larger than"):
        read_labels(tmp_path / "table.csv", 1, PETS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[0, 1]", "2 classes for 3 outputs"),
        ('[0, 1, "bird"]', "output 2: no such class; found 'bird'; allowed: cat; dog; fish, or numbers from 0 to 2"),
        ("[0, 1, 3]", "output 2: no such class; found 3"),
        ("[0, 1, -2]", "output 2: no such class; found -2"),
        ("[0, 1, true]", "True is neither"),
        ("[0, 1, 1.0]", "1.0 is neither"),
        ('{"0": 1, "0": 2}', "output 0, 2 time"),
        ('{"3": 1}', "output 3, 1 time.*each from 0 to 2"),
        ('{"cat": 1}', "is no map of outputs; found invalid literal"),
        ("[null, null, -1]", "no output means a class"),
        ("7", "is no map of outputs"),
        ("[" * 100_000, "is no map of outputs"),
        ("{", "is no map of outputs"),
    ],
)
def test_a_wrong_file_is_refused(text, message, tmp_path):
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_labels(tmp_path / "labels.json", 3, PETS)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match="no file"):
        read_labels(tmp_path / "labels.json", 3, PETS)


GROUPED = Grouped(("gull", "hen", "orca", "unicorn"), np.array([0, 1, 0, -1], np.int16))


def test_outputs_may_be_the_classes_that_those_of_the_data_were_made_of():
    found = label_map(4, ["sea", "land"], grouped=GROUPED)
    assert found.classes.tolist() == [0, 1, 0, -1]
    assert found.note == "outputs mean 4 classes, in 2 groups"
    named = label_map(4, ["sea", "land"], names=["unicorn", "orca", "hen", "gull"], grouped=GROUPED)
    assert named.classes.tolist() == [-1, 0, 1, 0]
    assert "mapped by name" in named.note
    assert label_map(2, ["sea", "land"], grouped=GROUPED).classes.tolist() == [0, 1]
    with pytest.raises(ConfigurationError, match="3 outputs for 2 classes, sea; land"):
        label_map(3, ["sea", "land"], grouped=GROUPED)


def test_a_thousand_outputs_mean_groups_of_some_of_imagenets_classes():
    some = Grouped((class_folders()[281], class_folders()[207], class_folders()[5]), np.array([1, 0, -1], np.int16))
    found = label_map(1000, ["dogs", "cats"], grouped=some)
    assert {int(place): int(found.classes[place]) for place in np.flatnonzero(found.classes >= 0)} == {281: 1, 207: 0}
    nine = taxonomy_of(class_folders(), "in9")
    known = Grouped(class_folders()[:300], nine.groups[:300])
    assert label_map(1000, nine.names, grouped=known).classes.tolist() == in9_of_imagenet().tolist()


def test_as_many_groups_as_classes_in_another_order_are_refused():
    turned = Grouped(("gull", "hen"), np.array([1, 0], np.int16))
    with pytest.raises(ConfigurationError, match=r"outputs can be classes or groups of them.*--labels"):
        label_map(2, ["land", "sea"], grouped=turned)
    same = Grouped(("gull", "hen"), np.array([0, 1], np.int16))
    assert label_map(2, ["gull", "hen"], grouped=same).classes.tolist() == [0, 1]
