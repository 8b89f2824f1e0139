"""The tables and the figure of a comparison show each arm, and each less its own base."""

import pytest

pytest.importorskip("torch")

from backgrounds.outcome import CHALLENGE, GAP, MEASURES, Run, arms, figure, table


def run(arm, seed, value, **values):
    return Run(arm, seed, 774, {**dict.fromkeys(MEASURES, value), **values})


RUNS = [run("base", 0, 0.5), run("oft", 0, 0.75), run("base", 1, 0.25), run("oft", 1, 0.5)]


def test_each_arm_has_a_row_with_its_parameters_and_means():
    lines = table(RUNS).splitlines()
    assert lines[0].endswith("| mixed_same | mixed_rand | mixed_next | BG-GAP | challenge |")
    assert lines[2].startswith("| base | 774 | 0.38 ± 1.59 |")
    assert lines[3].startswith("| oft | 774 | 0.62 ± 1.59 |")


def test_changes_are_those_from_the_base_of_the_same_seed():
    assert table(RUNS).splitlines()[-1] == "| oft | 0.25 ± 0.00 | 0.25 ± 0.00 | 0.25 ± 0.00 | 0.25 ± 0.00 |"


def test_a_value_that_is_not_defined_stays_so():
    undefined = [run("base", 0, 0.5, **{CHALLENGE: None}), run("oft", 0, 0.5)]
    assert table(undefined).splitlines()[-1] == "| oft | 0.00 | 0.00 | 0.00 | not defined |"
    assert figure(undefined).width > 500


def test_the_figure_has_a_row_for_each_arm():
    assert figure(RUNS).height > figure(RUNS[:1]).height
    assert arms(RUNS) == ["base", "oft"]


def test_a_gap_below_nothing_is_drawn():
    assert figure([run("base", 0, 0.5, **{GAP: -0.2})]).width == figure(RUNS).width
