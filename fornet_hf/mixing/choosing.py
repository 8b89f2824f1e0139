"""Methods of mixing by the names that commands give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fornet_hf.arguments import keywords
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.methods import AREA, METHODS, MixConfig

ALTERNATE = "alternate"
ALTERNATED = ("fmix", "cutmix", "mixup")
JOINED = "+"
NAMES = ("fmix", "cutmix", "mixup", ALTERNATE, "background")


def chosen(name: str, labels: str = AREA, options: Mapping[str, Any] | None = None) -> list[MixConfig]:
    """Return the method of a name; of "alternate" the three that alternate, of "fmix+mixup" these two.

    Args:
        name: one of `NAMES`, or several with + between them.
        labels: see `MixConfig`.
        options: further parameters; of several methods each takes those that it has.

    Raises:
        ConfigurationError: an unknown name or parameter, or a value that is not allowed.
    """
    names = ALTERNATED if name == ALTERNATE else tuple(name.split(JOINED))
    if unknown := [one for one in names if one not in METHODS]:
        allowed = f"{', '.join(NAMES)}, or several as fmix{JOINED}mixup"
        raise ConfigurationError(explain("mix is not allowed", found=repr(unknown[0]), allowed=allowed))
    kinds = [METHODS[one] for one in names]
    given = {"labels": labels, **(options or {})}
    if unknown := sorted(set(given) - {option for kind in kinds for option in keywords(kind)}):
        allowed = ", ".join(dict.fromkeys(option for kind in kinds for option in keywords(kind)))
        raise ConfigurationError(explain(f"{name} has no such option", found=", ".join(unknown), allowed=allowed))
    return [kind(**{option: given[option] for option in keywords(kind) if option in given}) for kind in kinds]
