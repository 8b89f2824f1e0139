"""Classifiers of timm."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.models.source import IMAGENET


@dataclass(frozen=True)
class Timm:
    """A model of timm.

    Attributes:
        model: its name there.
        use_test_size: as in timm's own validation, it is shown images of the size that it is best tested with.
    """

    model: str
    use_test_size: bool = True

    def pretrained(self) -> Classifier:
        """Return it with its weights."""
        import timm

        try:
            network: Any = timm.create_model(self.model, pretrained=True)
        except RuntimeError as error:  # of which timm's error of unknown models is one
            what, then = f"timm has no pretrained model {self.model}", _alike(self.model)
            raise ConfigurationError(explain(what, found=error, then=then)) from error
        if not network.num_classes:
            then = "Add =CHECKPOINT with the weights of one that was trained on top of it."
            raise ConfigurationError(explain(f"timm:{self.model} gives features and no classes", then=then))
        return self._classifier(network, revision_of(network.pretrained_cfg))

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it with random weights."""
        import timm

        self._check()
        options: dict[str, Any] = {} if classes is None else {"num_classes": classes}
        network: Any = timm.create_model(self.model, **options)
        return self._classifier(network if network.num_classes else self.network(IMAGENET))

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone, with random weights."""
        import timm

        self._check()
        return timm.create_model(self.model, num_classes=classes, **options)

    def _check(self) -> None:
        import timm

        if not timm.is_model(self.model):
            raise ConfigurationError(
                explain("timm has no such model", found=repr(self.model), then=_alike(self.model))
            )

    def _classifier(self, network: Any, revision: str = "") -> Classifier:
        from timm.data.config import resolve_data_config

        settings = resolve_data_config({}, model=network, use_test_size=self.use_test_size)
        return Classifier(
            name=self.model, revision=revision, network=network, preprocessing=preprocessing_of(settings)
        )


def _alike(model: str) -> str:
    """Say which of timm's models have names like this one; empty: none has."""
    import timm

    known = [] if timm.is_model(model) else timm.list_models()
    names = difflib.get_close_matches(model.partition(".")[0], known, n=3)
    return f"Did you mean {', '.join(names)}?" if names else ""


def preprocessing_of(settings: Mapping[str, Any]) -> Preprocessing:
    """Return the images that timm's settings describe.

    Raises:
        ConfigurationError: images that are not square, or not of three colours, or with a border of another colour.
    """
    channels, height, width = settings["input_size"]
    if channels != 3 or height != width or settings["crop_mode"] not in ("center", "squash"):
        found = f"{channels} x {height} x {width}, crop_mode {settings['crop_mode']}"
        raise ConfigurationError(explain("the model expects other images", found=found, allowed="square RGB images"))
    return Preprocessing(
        size=width,
        crop=settings["crop_pct"],
        squash=settings["crop_mode"] == "squash",
        interpolation=settings["interpolation"],
        mean=tuple(settings["mean"]),
        std=tuple(settings["std"]),
    )


def revision_of(settings: Mapping[str, Any]) -> str:
    """Return repository and commit of the weights that were just loaded; no commit where they are not of the Hub."""
    from huggingface_hub import try_to_load_from_cache

    repository = str(settings.get("hf_hub_id") or "")
    model, _, revision = repository.partition("@")
    for file in ("model.safetensors", "pytorch_model.bin") if model else ():
        path = try_to_load_from_cache(model, file, revision=revision or None)
        if isinstance(path, str):  # .../snapshots/COMMIT/FILE
            return f"{model}@{Path(path).parent.name}"
    return repository or str(settings.get("tag") or "pretrained")
