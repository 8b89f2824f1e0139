"""Rows divided: each scored once, never by a critic that learned from it; blocks hold one group each."""

import numpy as np

from fornet_hf.evaluation.independence.parts import blocks, divided, members
from fornet_hf.recombination.draw.rng import generator

GROUPS = np.array(["dog", "cat", "dog", "bird", "cat", "dog"])


def test_members_are_the_rows_of_each_group():
    assert [rows.tolist() for rows in members(GROUPS)] == [[3], [1, 4], [0, 2, 5]]
    assert [rows.tolist() for rows in members(GROUPS, np.array([5, 0, 4]))] == [[4], [5, 0]]


def test_each_row_is_scored_once_and_learned_from_in_the_other_folds():
    groups = [np.arange(40), np.arange(40, 100)]
    parts = divided(groups, 4, generator("parts", 0))
    assert sorted(np.concatenate([scored for _, _, scored in parts])) == list(range(100))
    for learned, kept, scored in parts:
        assert sorted([*learned, *kept, *scored]) == list(range(100))
        assert [np.isin(scored, group).sum() for group in groups] == [10, 15]
        assert len(kept) == 15


def test_blocks_hold_all_rows_but_single_ones_and_one_group_each():
    groups = [np.arange(9), np.arange(9, 11), np.array([11])]
    found = blocks(groups, 4, generator("blocks", 0))
    assert sorted(np.concatenate(found)) == list(range(11))
    assert sorted(len(block) for block in found) == [2, 3, 3, 3]
    assert all((block < 9).all() or (block >= 9).all() for block in found)
