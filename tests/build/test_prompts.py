import pytest

from fornet_hf.classes import imagenet_classes, wnid_index
from producers.prompts import imagenet_prompts, prompts_for, sentence


def test_a_class_is_asked_for_with_its_parent_and_grandparent():
    assert imagenet_prompts(wnid_index()["n01440764"]) == (
        "a tench, a type of cyprinid.",
        "a cyprinid, a type of cypriniform fish.",
        "a cypriniform fish.",
    )


@pytest.mark.parametrize(
    ("name", "start"), [("otter", "an otter"), ("Egyptian cat", "an Egyptian"), ("cat", "a cat")]
)
def test_the_article_fits(name, start):
    assert sentence(name).startswith(start)


def test_every_class_has_one_to_three_distinct_sentences():
    for entry in imagenet_classes():
        prompts = imagenet_prompts(entry.index)
        assert 1 <= len(prompts) <= 3
        assert len(set(prompts)) == len(prompts)
        assert all(prompt.endswith(".") and prompt.startswith(("a ", "an ")) for prompt in prompts)


def test_classes_of_other_sets_have_no_parents():
    assert prompts_for(1, ["hot_dog", "apple_pie"]) == ("an apple pie.",)
