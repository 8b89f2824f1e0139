"""Units that are read again after a damaged file was fetched anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from fornet_hf.errors import AccessError, ForNetError, IntegrityError
from fornet_hf.files import Open, open_local
from fornet_hf.format.rows import Row
from fornet_hf.release import healing
from fornet_hf.release.healing import healed_outcomes
from fornet_hf.release.units import Outcome, Skip, skip_nothing

KEYS = "abcdef"


@dataclass
class FakeUnit:
    """A unit of six patches; `errors` of the first reading by key, under "" that of the unit."""

    errors: dict[str, ForNetError]
    later: dict[str, ForNetError] = field(default_factory=dict)
    files: Sequence[str] = ("x",)
    made: list[str] = field(default_factory=list)

    def rows(self, open_file: Open = open_local) -> Iterator[Row]:
        raise NotImplementedError

    def outcomes(self, open_file: Open = open_local, skip: Skip = skip_nothing) -> Iterator[Outcome]:
        errors, self.errors = self.errors, self.later
        for key in KEYS:
            if "" in errors and key == "d":
                raise errors[""]
            if not skip("", key):
                self.made.append(key)
            yield Outcome(folder="", key=key, error=errors.get(key))


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were looked at; all of them are damaged, and mended."""
    asked: list[str] = []
    monkeypatch.setattr(healing, "mend", lambda file, token: not asked.append(str(file)))
    return asked


@pytest.mark.parametrize("where", ["c", ""])
def test_what_was_given_is_neither_made_nor_given_again(fetched: list[str], where: str) -> None:
    unit = FakeUnit({where: IntegrityError("damaged")})
    outcomes = [*healed_outcomes(unit)]
    assert [outcome.key for outcome in outcomes] == list(KEYS)
    assert [outcome.error for outcome in outcomes] == [None] * len(KEYS)
    assert sorted(unit.made) == sorted(KEYS + ("c" if where else ""))
    assert fetched == ["x"]


@pytest.mark.parametrize("mended", [True, False])
def test_files_are_compared_once(monkeypatch: pytest.MonkeyPatch, mended: bool) -> None:
    asked: list[str] = []
    monkeypatch.setattr(healing, "mend", lambda file, token: asked.append(str(file)) or mended)
    errors: dict[str, ForNetError] = {key: IntegrityError(key) for key in KEYS}
    outcomes = [*healed_outcomes(FakeUnit(errors, errors))]
    assert [str(outcome.error) for outcome in outcomes] == list(KEYS)
    assert asked == ["x"]


def test_damage_that_stays_is_raised(fetched: list[str]) -> None:
    error = IntegrityError("damaged")
    with pytest.raises(IntegrityError):
        list(healed_outcomes(FakeUnit({"": error}, {"": error})))
    assert fetched == ["x"]


def test_a_refusal_is_no_damage(fetched: list[str]) -> None:
    with pytest.raises(AccessError):
        list(healed_outcomes(FakeUnit({"": AccessError("no")})))
    assert fetched == []
