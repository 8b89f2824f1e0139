"""A few rows of many."""

from fornet_hf.layout.samples import spread


def test_items_are_spread_over_all_that_there_are():
    assert spread(range(10), 5) == [0, 2, 4, 6, 8]
    assert spread(range(10), 6) == [0, 1, 3, 5, 6, 8]
    assert spread(range(3), 8) == [0, 1, 2]
    assert spread([], 8) == []
