"""Which version is chosen, and what is written about the others."""

from types import SimpleNamespace

import pytest

from producers.score.score import Evidence, score
from producers.tasks.select import judge


def version(number, ratio=0.1):
    patch = SimpleNamespace(key="a", foreground_ratio=ratio)
    return SimpleNamespace(patch=patch, version=number, prompt=f"prompt {number}", score=0.5)


def test_the_version_of_the_highest_score_is_chosen():
    versions = tuple(version(number) for number in range(3))
    evidence = [Evidence(0.2, 0.1), Evidence(0.9, 0.1), Evidence(0.9, 0.9)]
    chosen, records = judge(versions, evidence)
    assert chosen is versions[1].patch
    assert [one["chosen"] for one in records] == [False, True, False]
    assert [one["score"] for one in records] == pytest.approx(
        [score(one, 0.1, number, 3) for number, one in enumerate(evidence)]
    )
    assert [one["p_background"] for one in records] == [0.1, 0.1, 0.9]


def test_without_evidence_the_most_specific_prompt_wins_and_nothing_is_claimed():
    versions = (version(0), version(1))
    chosen, records = judge(versions, [])
    assert chosen is versions[0].patch
    assert [one["score"] for one in records] == [None, None]
    assert [one["chosen"] for one in records] == [True, False]
