import pytest

from fornet_hf.errors import ConfigurationError
from producers.detect.prompts import Prompts
from producers.segment.attention_words import objects, phrase


@pytest.fixture(scope="module")
def tokenizer():
    pytest.importorskip("transformers")
    from tests.build import tiny_models

    return tiny_models.clip_tokenizer()


def spelt(tokenizer, found):
    """The tokens that count, as text."""
    ids = tokenizer(found.text)["input_ids"]
    return [tokenizer.convert_ids_to_tokens(ids[index]).removesuffix("</w>") for index in found.tokens]


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (("a tench, a type of cyprinid.", "a cyprinid, a type of cypriniform fish."), ["tench"]),
        (("an oboe.",), ["oboe"]),
        (("a dog.", "the cat.", "a dog."), ["dog", "cat"]),
        (("a cat with a hat, red.",), ["cat with a hat, red"]),
        (("Anemone fish",), ["Anemone fish"]),
    ],
)
def test_prompts_name_their_objects_but_not_what_those_are_a_type_of(prompts, expected):
    assert list(objects(prompts)) == expected
    assert list(objects(prompts).values()) == list(dict.fromkeys(prompts))[: len(expected)]


def test_each_class_of_imagenet_is_one_object_and_its_parents_are_more():
    for label in range(1000):
        prompts = Prompts(parents=2).of(label)
        (name,) = objects(prompts)
        assert prompts[0].startswith((f"a {name}", f"an {name}"))
        assert len(objects(prompts, parents=True)) == len(prompts)


def test_all_tokens_of_a_name_count(tokenizer):
    found = phrase(tokenizer, "a photo of a {}", "great-white shark")
    assert found.text == "a photo of a great-white shark"
    assert "".join(spelt(tokenizer, found)) == "great-whiteshark"


def test_a_word_of_one_token_has_the_published_number(tokenizer):
    """[start] a photo of a bird: the bird is the fifth."""
    assert phrase(tokenizer, "a photo of a {}", "x").tokens == (5,)


def test_a_name_counts_each_time_and_parts_of_other_words_do_not(tokenizer):
    found = phrase(tokenizer, "{} of {}", "a")
    assert found.tokens == (1, 3)
    assert spelt(tokenizer, phrase(tokenizer, "a photo of a cat", "", ["a"])) == ["a", "a"]


def test_several_words_count_in_place_of_the_name(tokenizer):
    found = phrase(tokenizer, "a photo of a {} with arms and legs", "human", ["Human", "arms", "legs"])
    assert "".join(spelt(tokenizer, found)) == "humanarmslegs"


def test_numbers_are_those_of_tokens(tokenizer):
    assert phrase(tokenizer, "a photo of a {}", "cat", ["2", "0"]).tokens == (0, 2)


def test_a_word_that_is_not_there_is_refused(tokenizer):
    with pytest.raises(ConfigurationError, match="'dog'; allowed: words of 'a photo of a cat'"):
        phrase(tokenizer, "a photo of a {}", "cat", ["cat", "dog"])


def test_a_name_that_is_cut_off_is_refused(tokenizer):
    fits = "x" * 71  # beside start, four words and end
    assert phrase(tokenizer, "a photo of a {}", fits).tokens == tuple(range(5, 76))
    for template, name in (("a photo of a {}", fits + "x"), (f"{fits} of a photo {{}}", "cat")):
        with pytest.raises(ConfigurationError, match="77 tokens"):
            phrase(tokenizer, template, name)


def test_what_is_cut_off_behind_the_name_does_not_matter(tokenizer):
    assert phrase(tokenizer, "a {}" + " a" * 100, "cat").tokens == (2, 3, 4)


@pytest.mark.parametrize("words", [["77"], ["500"]])
def test_numbers_beyond_the_last_token_are_refused(tokenizer, words):
    with pytest.raises(ConfigurationError, match="77 tokens"):
        phrase(tokenizer, "a photo of a {}", "cat", words)


def test_a_name_without_tokens_is_refused(tokenizer):
    with pytest.raises(ConfigurationError, match="77 tokens"):
        phrase(tokenizer, "a photo of a {}", " ")
