"""Settings from text, and what differs from their defaults."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from fornet_hf.arguments import require
from fornet_hf.errors import ConfigurationError
from producers.fields import changed, read_settings


@dataclass(frozen=True, kw_only=True)
class Knife:
    steps: int = 40
    sharpness: float = 0.5
    layers: tuple[int, ...] = (16, 32)
    size: tuple[int, float] = (1, 2.5)
    kind: Literal["bread", "butter"] = "bread"
    clean: bool = True
    block: Path | None = None

    def __post_init__(self):
        require(self.steps > 0, "steps", self.steps, "1 or more")


def knife(*given):
    return read_settings(Knife, [tuple(one.split("=", 1)) for one in given], "the knife")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("steps=7", 7),
        ("sharpness=2", 2.0),
        ("sharpness=1e-3", 0.001),
        ("layers=8", (8,)),
        ("layers=8,16,64", (8, 16, 64)),
        ("layers=", ()),
        ("size=3,0.5", (3, 0.5)),
        ("kind=butter", "butter"),
        ("clean=false", False),
        ("clean=True", True),
        ("block=a/b=c", Path("a/b=c")),
        ("block=none", None),
    ],
)
def test_a_field_is_read_as_its_annotation_says(text, value):
    found = getattr(knife(text), text.partition("=")[0])
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps=many", "the setting steps of the knife; found 'many'; allowed: int"),
        ("steps=1.5", "found '1.5'; allowed: int"),
        ("layers=1,two", "found '1,two'; allowed: int,..."),
        ("size=3", "found '3'; allowed: int,float"),
        ("kind=cheese", "found 'cheese'; allowed: bread or butter"),
        ("clean=perhaps", "found 'perhaps'; allowed: true or false"),
        ("steps=0", "steps is not allowed; found 0; allowed: 1 or more"),
        (
            "step=4",
            "unknown setting of the knife; found 'step'; allowed: steps=40, sharpness=0.5, layers=16,32, "
            "size=1,2.5, kind=bread, clean=true, block=none",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(text, message):
    with pytest.raises(ConfigurationError) as error:
        knife(text)
    assert message in str(error.value)


def test_the_last_value_of_a_name_counts_and_others_have_their_defaults():
    assert knife("steps=1", "clean=false", "steps=2") == Knife(steps=2, clean=False)


def test_a_field_without_default_has_to_be_given():
    @dataclass(frozen=True)
    class Fork:
        teeth: int
        length: float = 1.0

    with pytest.raises(ConfigurationError, match="the fork needs other settings, too; allowed: teeth"):
        read_settings(Fork, [("length", "2")], "the fork")


def test_only_what_differs_from_the_defaults_is_noted():
    assert changed(knife("steps=40", "layers=8", "block=a/b")) == {"layers": (8,), "block": "a/b"}
    assert changed(None) == {}
