"""Messages: of one line and of bounded length, whatever a hostile file says."""

from __future__ import annotations

import pytest

from fornet_hf.errors import explain, short


@pytest.mark.parametrize(
    ("value", "text"),
    [("n01440764_10026", "n01440764_10026"), ("für", "für"), ("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), (3, "3")],
)
def test_what_a_terminal_obeys_is_spelled_out(value, text):
    assert short(value) == text


def test_long_names_are_cut():
    assert short("k" * 101) == "k" * 96 + " ..."
    assert short("k" * 100) == "k" * 100
    assert len(short("\x00" * 10**6, 50)) == 50


def test_no_message_is_longer_than_a_terminal():
    assert len(explain("what", found="k" * 10**6, allowed="this", then="Do that.")) < 700
