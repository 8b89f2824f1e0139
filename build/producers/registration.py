"""The registration of a model, and the choice of one on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.packages import needing, resolve
from producers.devices.placement import Placement
from producers.fields import changed, read_settings
from producers.plugins import check_model
from producers.step import Step


@dataclass(frozen=True)
class Choice:
    """One model, as written on the command line: `sam-hf=facebook/sam-vit-base@REVISION`.

    Attributes:
        name: of a registration or an entry point, or `package.module:function`.
        model: id of its weights on the Hub, or a path; None for the published ones.
        revision: commit, branch or tag of the weights on the Hub; for `lama` the MD5 of the file, for `sam` its size.
        settings: names and values, as text; not a part of what is written as the choice.
    """

    name: str
    model: str | None = None
    revision: str | None = None
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Return the choice from `NAME`, `NAME=MODEL`, `NAME@REVISION` or `NAME=MODEL@REVISION`."""
        rest, _, revision = text.partition("@")
        name, _, model = rest.partition("=")
        return cls(name, model or None, revision or None)

    def __str__(self) -> str:
        return self.name + (f"={self.model}" if self.model else "") + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, kw_only=True)
class Model:
    """One registration.

    Attributes:
        name: on the command line.
        role: a name in `ADAPTERS`.
        target: `package.module:function`, which returns the model.
        takes: keywords of that function, of those in `OPTIONS`.
        packages: to install by pip, beside the project's own dependencies.
        weights: `model`, where none is given.
        revision: likewise of the weights.
        revisions: all there are; empty: any.
        licence: of the weights that are used unless others are given.
        hint: for the help, in place of `weights`.
        file: whether `model` is a file, not an id on the Hub.
        reads: `package.module:function` that looks at that file, a `Path`, before anything is loaded; empty: nothing.
        needs_model: whether it has no weights of its own.
        light: whether it loads at once, because it has no weights.
        settings: `package.module:class` of its settings, a dataclass that is imported without its packages; the
            function takes one as keyword `settings`. Where this is the target, the model is its own settings.
        step: what it is in a chain, or derived from that; says what it needs and gives without being loaded.
    """

    name: str
    role: str
    target: str
    takes: frozenset[str] = frozenset()
    packages: str = ""
    weights: str | None = None
    revision: str | None = None
    revisions: tuple[str, ...] = ()
    hint: str = ""
    licence: str = ""
    file: bool = False
    reads: str = ""
    needs_model: bool = False
    light: bool = False
    settings: str = ""
    step: type[Step]

    def __str__(self) -> str:
        hint, kind = self.hint or self.weights, "FILE" if self.file else "MODEL"
        return self.name + (f"={kind}" if self.needs_model else "") + (f" ({hint})" if hint else "")

    def check(self, choice: Choice) -> None:
        """Raise a ConfigurationError if it does not take the model, the revision or the settings that were given."""
        name = f"the {self.role} {self.name}"
        for option in ("model", "revision"):
            if getattr(choice, option) and option not in self.takes:
                allowed = str(Choice(choice.name, choice.model if "model" in self.takes else None))
                raise ConfigurationError(explain(f"{name} takes no {option}", found=str(choice), allowed=allowed))
        if self.needs_model and not choice.model:
            kind = "file" if self.file else "model"
            allowed = f"--{self.role} {self.name}={kind.upper()}"
            raise ConfigurationError(explain(f"{name} needs a {kind}", allowed=allowed))
        if self.revisions and choice.revision and choice.revision not in self.revisions:
            what, allowed = f"unknown revision of {name}", ", ".join(self.revisions)
            raise ConfigurationError(explain(what, found=repr(choice.revision), allowed=allowed))
        self.settings_of(choice)

    def pinned(self, choice: Choice, revision: str) -> Choice:
        """Return the choice with this revision, if it has none and the model takes one."""
        return replace(choice, revision=choice.revision or revision) if "revision" in self.takes else choice

    def licence_of(self, choice: Choice) -> str:
        """Return the licence of the weights; empty where it is not known, as that of one's own."""
        return "" if choice.model else self.licence

    def settings_of(self, choice: Choice) -> Any:
        """Return the settings that were given, with defaults for the rest; None where none were.

        Raises:
            ConfigurationError: it has no such settings, or does not take these values.
        """
        if not choice.settings:
            return None
        name = f"the {self.role} {self.name}"
        if not self.settings:
            found = ", ".join(name for name, _ in choice.settings)
            raise ConfigurationError(explain(f"{name} has no settings", found=found, then="Leave --set out."))
        kind: Any = resolve(self.settings, f"the settings of {name} cannot be loaded")
        return read_settings(kind, choice.settings, name)

    def changed_settings(self, choice: Choice) -> dict[str, Any]:
        """Return the settings that were given and differ from the defaults, by their names on the command line."""
        return changed(self.settings_of(choice))

    def check_file(self, choice: Choice) -> None:
        """Read what is read without loading weights.

        Raises:
            ConfigurationError: the file does not hold boxes, or is not of the model.
            NotFoundError: a file is missing.
        """
        if self.light:
            self.load(choice)
        elif self.file and choice.model and not Path(choice.model).is_file():
            what = f"the weights of {self.name} are missing"
            raise NotFoundError(explain(what, found=f"no file {choice.model}"))
        elif self.reads and choice.model:
            with needing(f"the {self.role} {self.name}", self.packages):
                resolve(self.reads, f"the {self.role} {self.name} cannot be read")(Path(choice.model))

    def load(
        self,
        choice: Choice,
        placement: Callable[[], Placement] = Placement,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> Any:
        """Return the model, loaded.

        Args:
            choice: says which weights.
            placement: makes that of the model; called only for models that run on a device.
            options: other keywords, such as size of batches and thresholds; None: the model's own.

        Raises:
            MissingDependencyError: a package that it needs is not installed.
            NotFoundError: weights are missing.
            ConfigurationError: there is no such device, or the function returns something else.
        """
        revision = choice.revision or (None if choice.model and not self.file else self.revision)
        settings = self.settings_of(choice)
        given: dict[str, Any] = {**options, "model": choice.model or self.weights, "revision": revision}
        with needing(f"the {self.role} {self.name}", self.packages):
            if "placement" in self.takes:
                given["placement"] = placement()
            function = resolve(self.target, f"the {self.role} {self.name} cannot be loaded")
            keywords = {name: given[name] for name in given if name in self.takes and given[name] is not None}
            if settings is None:
                model = function(**keywords)
            elif self.settings == self.target:
                model = settings
            else:
                model = function(**keywords, settings=settings)
        check_model(self.role, self.name, model)
        return model
