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
    ("index", "wnid", "name", "lineage"),
    [
        (0, "n01440764", "tench, Tinca tinca", "tench, cyprinid, cypriniform fish, soft-finned fish"),
        (134, "n02012849", "crane", "crane, wading bird, aquatic bird, bird"),
        (151, "n02085620", "Chihuahua", "Chihuahua, toy dog, dog, canine"),
        (285, "n02124075", "Egyptian cat", "Egyptian cat, domestic cat, cat, feline"),
        (517, "n03126707", "crane2", "crane, lifting device, device, instrumentality"),
        (638, "n03710637", "maillot", "maillot, tights, hosiery, footwear"),
        (639, "n03710721", "maillot, tank suit", "maillot, swimsuit, garment, clothing"),
        (999, "n15075141", "toilet tissue, toilet paper, bathroom tissue", "toilet tissue, tissue, paper, material"),
    ],
)
def test_known_classes_are_where_imagenet_has_them(index, wnid, name, lineage):
    entry = imagenet_classes()[index]
    assert (entry.wnid, entry.name) == (wnid, name)
    assert ", ".join(entry.lineage[:4]) == lineage


def test_every_lineage_goes_up_to_the_root():
    assert {entry.lineage[-1] for entry in imagenet_classes()} == {"entity"}
    assert min(len(entry.lineage) for entry in imagenet_classes()) > 3


def test_wnid_index_gives_the_label_and_cannot_be_changed():
    index = wnid_index()
    assert index["n01443537"] == 1
    assert len(index) == 1000
    with pytest.raises(TypeError):
        index["n01443537"] = 2


def test_a_class_is_found_by_its_name_and_by_its_wnid():
    from fornet_hf.classes import name_index

    assert name_index()["tench, Tinca tinca"] == name_index()["n01440764"] == 0
