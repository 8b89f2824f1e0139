"""Units whose files were damaged on their way or on the disk: such a file is fetched once more, past the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from fornet_hf.errors import (
    EmptyMaskError,
    IntegrityError,
    NotFoundError,
    PatchFormatError,
    SourceError,
)
from fornet_hf.format.rows import Row
from fornet_hf.hub.errors import Token
from fornet_hf.hub.transfer import SCHEME, mend, open_file
from fornet_hf.release.units import Outcome, Skip, Unit, rows_of, skip_nothing

_DAMAGE = (EmptyMaskError, IntegrityError, NotFoundError, PatchFormatError, SourceError)
"""How damage of a file shows; NotFoundError, as it may also be in the name of an image."""


def healed_rows(unit: Unit, token: Token = None) -> Iterator[Row]:
    """Yield the prepared rows of a unit; raise the first error that another download does not mend."""
    return rows_of(healed_outcomes(unit, token))


def healed_outcomes(unit: Unit, token: Token = None, skip: Skip = skip_nothing) -> Iterator[Outcome]:
    """Yield `unit.outcomes`, from files that are fetched once more where they turn out to be damaged.

    Args:
        unit: the work.
        token: for the Hub.
        skip: as there.

    Raises:
        ForNetError: as there, and the files are what the Hub has, or cannot be fetched.
    """
    given: set[tuple[str, str]] = set()
    compared = False
    try:
        for outcome in unit.outcomes(partial(open_file, token=token), skip):
            if isinstance(outcome.error, _DAMAGE) and not compared:
                compared = True
                if _fetched_anew(unit.files, token):
                    break
            given.add((outcome.folder, outcome.key))
            yield outcome
        else:
            return
    except _DAMAGE:
        if compared or not _fetched_anew(unit.files, token):
            raise

    def known(folder: str, key: str) -> bool:
        return (folder, key) in given or skip(folder, key)

    for outcome in unit.outcomes(partial(open_file, token=token), known):
        if (outcome.folder, outcome.key) not in given:
            yield outcome


def _fetched_anew(files: Sequence[str], token: Token) -> bool:
    """Fetch what is damaged of these files; returns whether reading them again may give something else."""
    # All of them; and each reading of a file that is streamed comes from the Hub.
    mended = [file.startswith(SCHEME) or mend(Path(file), token) for file in files]
    return any(mended)
