"""The models: one registration each, whose target is imported by the process that runs it.

A model of another package is named by its `package.module:function`, or by an entry point of that package in the
group `fornet.detectors`, `fornet.segmenters`, `fornet.refiners` or `fornet.infillers`. Nothing is registered at run
time, so every process that is told a name finds the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from types import MappingProxyType
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.packages import needing, resolve
from producers.devices.placement import Placement
from producers.plugins import signature_of
from producers.registered import DETECTORS, INFILLERS, SEGMENTERS
from producers.registration import Choice, Model
from producers.step import ModelStep, Refine

__all__ = ["MODELS", "Choice", "Composed", "Model", "find", "models"]


@dataclass(frozen=True, kw_only=True)
class Composed(Model):
    """The registration of a model that works by another one, which is given in place of its weights.

    `inpaint-difference=lama@MD5` works by `lama@MD5`; `inpaint-difference` by the model of that role in the run.

    Attributes:
        by: role of the other model; the function gets it, loaded, as keyword of this name, or nothing.
    """

    by: str

    def other(self, choice: Choice) -> Choice | None:
        """Return the other model, with the settings that begin with its role: `infiller.steps`."""
        if choice.model is None:
            return None
        start = f"{self.by}."
        settings = tuple((name.removeprefix(start), text) for name, text in choice.settings if name.startswith(start))
        return replace(Choice.parse(choice.model), revision=choice.revision, settings=settings)

    def check(self, choice: Choice) -> None:
        """Raise a ConfigurationError if either model does not take what was given."""
        super().check(replace(choice, model=None, revision=None))
        other = self.other(choice)
        if other is not None:
            registration = find(self.by, other.name)
            registration.check(other)
            if issubclass(registration.step, ModelStep):
                what = f"the {self.role} {self.name} needs a plain {self.by}"
                raise ConfigurationError(explain(what, found=f"{other}, which is a step by itself"))
            return
        given = [f"@{choice.revision}"] if choice.revision else []
        given += [name for name, _ in choice.settings if name.startswith(f"{self.by}.")]
        if given:
            what = f"the {self.role} {self.name} has no {self.by} of its own that takes this"
            raise ConfigurationError(explain(what, found=", ".join(given), allowed=f"{self.name}=MODEL@REVISION"))

    def pinned(self, choice: Choice, revision: str) -> Choice:
        """Return the choice with this revision of the other model, if that has none and takes one."""
        other = self.other(choice)
        return (
            replace(choice, revision=find(self.by, other.name).pinned(other, revision).revision) if other else choice
        )

    def licence_of(self, choice: Choice) -> str:
        """Return the licence of the other model's weights."""
        other = self.other(choice)
        return find(self.by, other.name).licence_of(other) if other else ""

    def settings_of(self, choice: Choice) -> Any:
        """Return its own settings that were given; None where none were."""
        own = tuple(one for one in choice.settings if not one[0].startswith(f"{self.by}."))
        return super().settings_of(replace(choice, settings=own))

    def changed_settings(self, choice: Choice) -> dict[str, Any]:
        """Return the settings of both models that were given and differ from the defaults."""
        other = self.other(choice)
        more = find(self.by, other.name).changed_settings(other) if other else {}
        return super().changed_settings(choice) | {f"{self.by}.{name}": value for name, value in more.items()}

    def check_file(self, choice: Choice) -> None:
        """Read what is read without loading the other model's weights."""
        if other := self.other(choice):
            find(self.by, other.name).check_file(other)

    def load(
        self,
        choice: Choice,
        placement: Callable[[], Placement] = Placement,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> Any:
        """Return the model with the other one in it, both loaded."""
        other = self.other(choice)
        loaded = find(self.by, other.name).load(other, placement, options) if other else None
        return super().load(choice, placement, {**options, self.by: loaded})


MODELS = (
    *DETECTORS,
    *SEGMENTERS,
    Composed(
        name="inpaint-difference",
        role="refiner",
        step=Refine,
        target="producers.refine.inpaint_difference:load",
        takes=frozenset({"infiller"}),
        packages="opencv-python-headless",
        hint="=INFILLER, else by that of the run",
        by="infiller",
        settings="producers.refine.inpaint_difference:DifferenceSettings",
        light=True,
    ),
    *INFILLERS,
)


def models(role: str) -> list[Model]:
    """Return the registrations of a role."""
    return [model for model in MODELS if model.role == role]


def find(role: str, name: str) -> Model:
    """Return the registration of a name; that of another package is made from the function which it names.

    Raises:
        ConfigurationError: there is no model of this name, or what it names cannot be one.
        MissingDependencyError: its package needs another one that is not installed.
    """
    known = {model.name: model for model in models(role)}
    if name in known:
        return known[name]
    points = {point.name: point for point in metadata.entry_points(group=f"fornet.{role}s")}
    target = f"{points[name].module}:{points[name].attr}" if name in points else name
    if ":" not in target:
        allowed = f"{', '.join(sorted({*known, *points}))}, or PACKAGE.MODULE:FUNCTION"
        raise ConfigurationError(explain(f"unknown {role}", found=repr(name), allowed=allowed))
    with needing(f"the {role} {name}"):
        function = resolve(target, f"the {role} {name} cannot be loaded")
    return Model(name=name, role=role, target=target, **vars(signature_of(role, name, function)))
