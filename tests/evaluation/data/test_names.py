"""Names of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fornet_hf.evaluation.data.names import Sources, mixed_stem, sources_in, stem_of


@pytest.mark.parametrize(
    ("key", "wnid", "stem"),
    [
        ("n01440764_10026", "n01440764", "n01440764_10026"),
        ("ILSVRC2012_val_00000293", "n01440764", "n01440764_00293"),
        ("cat_1", None, "cat_1"),
    ],
)
def test_stems_are_those_of_the_official_release(key, wnid, stem):
    assert stem_of(key, wnid) == stem


def test_mixed_images_name_foreground_and_background():
    stem = mixed_stem("n02497673_05944", "n02536864_02721")
    assert stem == "fg_n02497673_05944_bg_n02536864_02721"
    assert sources_in(stem, mixed=True, known=()) == ("n02497673_05944", "n02536864_02721")


STEMS = st.text("ab_gf", min_size=1, max_size=12)


@given(STEMS, STEMS)
def test_names_are_read_back_where_only_one_reading_is_known(foreground, background):
    known = {foreground, background}
    stem = mixed_stem(foreground, background)
    readings = [(a, b) for a in known for b in known if mixed_stem(a, b) == stem]
    found = sources_in(stem, mixed=True, known=known)
    assert found in readings
    assert (len(readings) > 1) or found == (foreground, background)


@pytest.mark.parametrize("stem", ["a", "fg_a", "bg_a"])
def test_plain_images_may_have_a_prefix(stem):
    assert sources_in(stem, mixed=False, known={"a"}) == Sources("a")


def test_a_prefix_that_belongs_to_the_name_stays():
    assert sources_in("fg_a", mixed=False, known={"fg_a", "a"}) == Sources("fg_a")
