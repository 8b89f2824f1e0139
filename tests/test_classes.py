"""The table of ImageNet's classes."""

import pytest

from fornet_hf.classes import class_names, imagenet_classes, wnid_index


def test_a_thousand_classes_stand_at_their_index():
    assert [entry.index for entry in imagenet_classes()] == list(range(1000))


def test_wnids_are_unique_and_sorted():
    wnids = [entry.wnid for entry in imagenet_classes()]
    assert wnids == sorted(set(wnids))


def test_names_are_unique_and_ordered_by_index():
    names = class_names()
    assert len(set(names)) == 1000
    assert names[1] == imagenet_classes()[1].name == "goldfish, Carassius auratus"


@pytest.mark.parametrize(
    ("index", "wnid", "name", "parent", "grandparent"),
    [
        (0, "n01440764", "tench, Tinca tinca", "cyprinid, cyprinid fish", "cypriniform fish"),
        (134, "n02012849", "crane", "wading bird, wader", "aquatic bird"),
        (151, "n02085620", "Chihuahua", "toy dog, toy", "dog, domestic dog, Canis familiaris"),
        (517, "n03126707", "crane2", "lifting device", "device"),
        (638, "n03710637", "maillot", None, None),
        (639, "n03710721", "maillot, tank suit", None, None),
        (999, "n15075141", "toilet tissue, toilet paper, bathroom tissue", "tissue, tissue paper", "paper"),
    ],
)
def test_known_classes_are_where_imagenet_has_them(index, wnid, name, parent, grandparent):
    entry = imagenet_classes()[index]
    assert (entry.wnid, entry.name) == (wnid, name)
    if parent is not None:
        assert (entry.parent, entry.grandparent) == (parent, grandparent)


def test_every_class_has_a_parent_and_a_grandparent():
    assert all(entry.parent and entry.grandparent for entry in imagenet_classes())


def test_wnid_index_gives_the_label_and_cannot_be_changed():
    index = wnid_index()
    assert index["n01443537"] == 1
    assert len(index) == 1000
    with pytest.raises(TypeError):
        index["n01443537"] = 2
