"""The images of a run to show."""

from producers.views.shown import split_of, spread


def test_images_are_spread_over_all_that_there_are():
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert spread(range(3), 8) == [0, 1, 2]
    assert spread([], 8) == []


def test_the_split_is_in_the_name_of_a_shard():
    assert split_of("train-00001-of-00004") == "train"
    assert split_of("validation-00000-of-00001") == "validation"
