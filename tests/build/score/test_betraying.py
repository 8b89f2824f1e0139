"""Backgrounds above a score are left out of patches; objects never are."""

import pytest

from fornet_hf.errors import ConfigurationError
from producers.score.betraying import Betraying
from tests.published import patch_of


@pytest.fixture
def patch():
    return patch_of("train", 0)


def table(tmp_path, key, score):
    path = tmp_path / "leakage.csv"
    path.write_text(f"key,class,score,area,rim\n{key},thing,{score},0,0\n")
    return path


def test_only_what_is_above_the_score_loses_its_background(tmp_path, patch):
    above, at = (Betraying.of(table(tmp_path, patch.key, score), 2.0) for score in (2.5, 2.0))
    assert (above.spared(patch).delta, above.spared(patch).mask) == (None, patch.mask)
    assert at.spared(patch) is patch
    assert above.to_json()["left_out"] == 1
    assert at.to_json()["left_out"] == 0
    assert above.to_json()["digest"] != at.to_json()["digest"]


@pytest.mark.parametrize("most", [None, float("nan"), float("inf")])
def test_a_table_needs_a_score(tmp_path, most):
    with pytest.raises(ConfigurationError, match="both of them"):
        Betraying.of(table(tmp_path, "a", 1), most)


def test_nothing_is_asked_for():
    assert Betraying.of(None, None) is None
    with pytest.raises(ConfigurationError, match="both of them"):
        Betraying.of(None, 2.0)
