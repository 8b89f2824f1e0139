"""Methods of mixing by the names that commands give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fornet_hf.arguments import keywords
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.methods import AREA, METHODS, MixConfig

ALTERNATE = "alternate"
ALTERNATED = ("fmix", "cutmix", "mixup")
NAMES = ("fmix", "cutmix", "mixup", ALTERNATE, "background")


def chosen(name: str, labels: str = AREA, options: Mapping[str, Any] | None = None) -> list[MixConfig]:
    """Return the method of a name; of "alternate" the three that alternate.

    Args:
        name: one of `NAMES`.
        labels: see `MixConfig`.
        options: further parameters; of several methods each takes those that it has.

    Raises:
        ConfigurationError: an unknown name or parameter, or a value that is not allowed.
    """
    if name not in NAMES:
        raise ConfigurationError(explain("mix is not allowed", found=repr(name), allowed=", ".join(NAMES)))
    kinds = [METHODS[one] for one in (ALTERNATED if name == ALTERNATE else (name,))]
    given = {"labels": labels, **(options or {})}
    if unknown := sorted(set(given) - {option for kind in kinds for option in keywords(kind)}):
        allowed = ", ".join(dict.fromkeys(option for kind in kinds for option in keywords(kind)))
        raise ConfigurationError(explain(f"{name} has no such option", found=", ".join(unknown), allowed=allowed))
    return [kind(**{option: given[option] for option in keywords(kind) if option in given}) for kind in kinds]
