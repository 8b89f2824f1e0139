"""Output that commands have in common."""

from __future__ import annotations

from fornet_hf.cli.common import tell_some


def test_some_messages_of_each_kind_are_told_in_their_order_and_the_others_counted(capsys):
    messages = [("missing", "b"), ("damaged", "x"), ("missing", "a"), ("missing", "c")]
    tell_some(messages, 2, "; --json lists all")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["damaged: x", "missing: b", "missing: a", "missing: 1 more; --json lists all"]
