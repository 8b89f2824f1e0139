"""Dots are where the values say, and rows are below each other."""

import numpy as np

from outcomes.dots import Dots, Group, Row

RED = "#ff0000"


def drawn(*groups, **settings):
    return Dots(panels={"share": (1.0, "all")}, groups=groups, **settings).drawn()


def group(*values, banded=()):
    return Group(label="a kind", rows=[Row(ink=RED, values={"share": values})], banded=banded)


def middle(image):
    """Return where the red is, pixels."""
    pixels = np.asarray(image).astype(int)
    y, x = np.nonzero((pixels[..., 0] > 200) & (pixels[..., 1] < 50))
    return x.mean(), y.mean()


def test_larger_values_are_further_right():
    (left, level), (right, same) = middle(drawn(group(0.2))), middle(drawn(group(0.8)))
    assert left < right
    assert level == same


def test_each_group_adds_its_rows():
    assert drawn(group(0.5), group(0.5), row=40).height - drawn(group(0.5), row=40).height == 2 * 40


def test_a_band_is_behind_its_panel_alone():
    bare, banded = (np.asarray(drawn(group(0.5, banded=names))) for names in ((), ("share",)))
    assert (bare != banded).any()
    assert (banded[:, :200] == bare[:, :200]).all()


def test_values_that_are_not_defined_have_no_dot():
    assert middle(drawn(group(0.3, None))) != middle(drawn(group(0.3)))  # and no bar
    assert np.isfinite(middle(drawn(group(0.3, None)))).all()


def test_a_panel_without_any_value_is_empty():
    assert drawn(group(None)).size == drawn(group(0.5)).size
