"""The images of a run to show."""

from producers.views.shown import split_of


def test_the_split_is_in_the_name_of_a_shard():
    assert split_of("train-00001-of-00004") == "train"
    assert split_of("validation-00000-of-00001") == "validation"
