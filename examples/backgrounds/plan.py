"""The plan of a comparison: a base, and the ways in which it is tuned. JSON files beside this have some."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backgrounds.sets import Sets
from fornet_hf.arguments import check_keywords, keywords, require
from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from training.config import TrainConfig
from training.options import configured
from training.presets import read_preset

FOLDER = Path(__file__).parent
BASE = "base"
Fields = Mapping[str, Any]
_PRESET = "preset"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A comparison: fields of a run's configuration, or of a `preset` of train.py that they overrule.

    Attributes:
        about: words for people.
        common: of all runs.
        base: of the run that the others begin with, on originals.
        arms: of the others, by name.
        on_originals: the arms that see originals again; all others see recombined images.
    """

    about: str
    common: Fields
    base: Fields
    arms: Mapping[str, Fields]
    on_originals: Sequence[str] = ()

    @classmethod
    def read(cls, name: str) -> Plan:
        """Return the plan of a name, or in a JSON file.

        Raises:
            NotFoundError: no such file.
            ConfigurationError: no such name, or it is no plan.
        """
        names = sorted(path.stem for path in FOLDER.glob("*.json"))
        path = FOLDER / f"{name}.json" if name in names else Path(name)
        if not path.is_file():
            raise NotFoundError(explain(f"no plan {name}", allowed=f"{', '.join(names)}, or a JSON file"))
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            check_keywords(fields, keywords(cls))
            return cls(**fields)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(explain(f"{path} is no plan of a comparison", found=error)) from error

    def chosen(self, arms: Sequence[str] | None) -> list[str]:
        """Return the base, and those arms; None: all.

        Raises:
            ConfigurationError: one is not the plan's.
        """
        for arm in arms or ():
            require(arm in self.arms, "arm", arm, ", ".join(self.arms))
        return list(dict.fromkeys([BASE, *(self.arms if arms is None else arms)]))

    def run(self, arm: str, seed: int, sets: Sets, folder: Path) -> TrainConfig:
        """Return the configuration of one run; `folder` holds those of all.

        Raises:
            ConfigurationError: a field or value that is not allowed.
            NotFoundError: no such preset.
        """
        fields = {**self.common, **(self.base if arm == BASE else self.arms[arm])}
        preset = read_preset(fields.pop(_PRESET)) if _PRESET in fields else {}
        images = sets.originals if arm in (BASE, *self.on_originals) else sets.mixed
        begun = {} if arm == BASE else {"weights": str(place(folder, BASE, seed))}
        own = {"seed": seed, "out": str(place(folder, arm, seed)), "measure_on": str(sets.test)}
        return configured(preset, images, fields, begun, own)


def place(folder: Path, arm: str, seed: int) -> Path:
    """Return the folder of a run."""
    return folder / f"{arm}_{seed}"
