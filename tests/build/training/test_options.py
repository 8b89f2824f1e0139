"""Options that are made of a configuration's fields."""

import argparse
from dataclasses import dataclass

import pytest

from fornet_hf.errors import ConfigurationError
from producers.training.options import add_options, asked, check_limits, option


@dataclass(frozen=True, kw_only=True)
class Values:
    steps: int = option(3, "of the training")
    share_of: float | None = option(None, "share")
    name: str = option("a", "kind", ("a", "b"))
    flip: bool = option(False, "mirror")
    widths: tuple[int, ...] = option((1, 2), "widths")

    def __post_init__(self):
        check_limits(self, {"steps": (self.steps > 0, "1 or more"), "share_of": (self.share_of != 2, "not 2")})


PRESETS = {"small": Values(), "large": Values(steps=9, share_of=0.5, flip=True)}


def parser():
    result = argparse.ArgumentParser()
    add_options(result, PRESETS, "small")
    return result


def read(*words):
    return asked(parser().parse_args(words), PRESETS)


def test_options_change_what_a_preset_says():
    assert read() == PRESETS["small"]
    assert read("--preset", "large") == PRESETS["large"]
    words = ["--preset", "large", "--steps", "4", "--name", "b", "--no-flip", "--widths", "5,6"]
    assert read(*words) == Values(steps=4, share_of=0.5, name="b", flip=False, widths=(5, 6))
    assert read("--share-of", "0.25").share_of == 0.25
    assert read("--preset", "large", "--share-of", "none").share_of is None


def test_the_help_states_the_values_of_all_presets():
    text = " ".join(parser().format_help().split())
    assert "of the training (3 / 9)" in text
    assert "share (none / 0.5)" in text
    assert "mirror (no / yes)" in text
    assert "widths (1,2)" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--name", "c"], "invalid choice: 'c'"),
        (["--share-of", "much"], "invalid float value: 'much'"),
        (["--widths", "5,x"], "'5,x' is not like 16,32,64"),
    ],
)
def test_words_that_cannot_be_read_are_a_wrong_command_line(words, message, capsys):
    with pytest.raises(SystemExit):
        read(*words)
    assert message in capsys.readouterr().err


def test_values_that_do_not_fit_are_named_by_their_option():
    with pytest.raises(ConfigurationError, match="--steps; found 0; allowed: 1 or more"):
        read("--steps", "0")
    with pytest.raises(ConfigurationError, match=r"--share-of; found 2\.0; allowed: not 2"):
        read("--share-of", "2")
