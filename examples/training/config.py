"""A run's configuration: a frozen value, read from the command line and kept as JSON in the run's folder."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.models import FORMS
from fornet_hf.mixing.choosing import NAMES as MIXES
from fornet_hf.mixing.choosing import chosen
from fornet_hf.mixing.methods import AREA, MixConfig

EVALUATIONS = ("original", "all", "same")
_CHOICES = {
    "optimizer": ("adamw", "sgd"),
    "precision": ("bf16", "fp32"),
    "augment": ("none", "randaugment", "3augment"),
    "defer": (None, "pixels", "jpeg"),
}
# What may differ when a run is resumed.
_ANY_TIME = ("out", "imagenet_dir", "cache_dir", "workers", "stop_after", "compile", "defer")


def _option(default: Any, meaning: str) -> Any:
    kind = "default_factory" if callable(default) else "default"
    return field(**{kind: default}, metadata={"meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """All that a run depends on; the `meaning` of a field is the help of its option."""

    out: str = _option("runs/fornet", "folder of this run; if it holds a checkpoint, the run goes on from there")
    dataset: str = _option("TNauen/ForNet", "repository or folder with ForNet")
    patches: str | None = _option(None, "folder or repository with a release of patches, if not in the dataset's")
    imagenet_dir: str | None = _option(None, "ImageNet as a folder; else it is downloaded from the Hub")
    cache_dir: str | None = _option(None, "where prepared datasets are kept; the default of datasets else")
    plain: bool = _option(False, "train on the original images, for comparison")
    recombination: dict[str, Any] = _option(
        lambda: {"orig_img_prob": "cos"},
        "NAME=VALUE of docs/parameters.md, as many as you like; beside the defaults, unless they name these, too",
    )
    model: str = _option("timm:vit_small_patch16_224", f"{FORMS}, or tiny")
    model_options: dict[str, Any] = _option(dict, "NAME=VALUE for the model, e.g. drop_path_rate=0.05")
    size: int = _option(224, "side of the images in pixels")
    epochs: int = _option(300, "epochs of the whole training")
    batch_size: int = _option(1024, "images a step, of all processes together")
    optimizer: str = _option("adamw", "adamw or sgd")
    lr: float = _option(1e-3, "highest learning rate")
    min_lr: float = _option(1e-5, "learning rate at the end")
    warmup_epochs: float = _option(5.0, "epochs in which the learning rate rises from 0")
    weight_decay: float = _option(0.05, "of weights; biases and norms have none")
    clip_norm: float = _option(1.0, "largest norm of the gradient; 0: any")
    label_smoothing: float = _option(0.0, "0 to below 1")
    augment: str = _option("none", "after recombination, crop and flip: none, randaugment or 3augment")
    color_jitter: float = _option(0.0, "strength of changes in brightness, contrast and saturation")
    mixup: float = _option(0.0, "alpha of MixUp; 0: none, or 1 with a --mix that has it")
    cutmix: float = _option(0.0, "alpha of CutMix, likewise. With both and no --mix, each step takes one of them")
    mix: str = _option("none", f"{', '.join(MIXES)}, or none; docs/mixing.md")
    mix_labels: str = _option(AREA, "labels of mixed images by area, or by the visible area of each object")
    mix_options: dict[str, Any] = _option(dict, "NAME=VALUE for --mix, e.g. alpha=0.2 each=image off_for_last=10")
    precision: str = _option("bf16", "bf16 (autocast) or fp32")
    evaluate: tuple[str, ...] = _option(
        lambda: ("original",),
        "validation: original images, or recombined with backgrounds of all or the same class",
    )
    eval_every: int = _option(1, "epochs between evaluations; the last epoch is always evaluated")
    seed: int = _option(0, "of weights, order, recombination and augmentation")
    workers: int = _option(8, "loading processes for each training process")
    defer: str | None = _option(None, "pixels or jpeg: the device composes; workers only decode, or only fetch")
    stop_after: int | None = _option(None, "epochs in this call, for queues with a time limit; call again to go on")
    compile: bool = _option(False, "torch.compile the model")

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            _require(getattr(self, name) in allowed, name, getattr(self, name), ", ".join(filter(None, allowed)))
        for name in ("size", "epochs", "batch_size", "eval_every"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        for name in ("lr", "min_lr", "warmup_epochs", "weight_decay", "clip_norm", "mixup", "cutmix", "workers"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        self._check_mix()
        if self.defer is not None:  # the loading processes have no image to change
            _require(self.augment == "none", "augment with defer", self.augment, "none")
            _require(not self.color_jitter, "color_jitter with defer", self.color_jitter, "0")
        _require(set(self.evaluate) <= set(EVALUATIONS), "evaluate", self.evaluate, ", ".join(EVALUATIONS))

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.out)

    def _check_mix(self) -> None:
        if self.mix == "none":
            _require(self.mix_labels == AREA, "mix_labels without mix", self.mix_labels, AREA)
            _require(not self.mix_options, "mix_options without mix", self.mix_options, "none")
            return
        of_the_run = {"seed", "num_classes", "label_smoothing", "bce"} & set(self.mix_options)
        _require(not of_the_run, "mix_options", ", ".join(sorted(of_the_run)), "what the run does not set itself")
        methods = {method.method for method in self.methods}
        for name in {"mixup", "cutmix"} - methods:
            _require(not getattr(self, name), f"{name} with mix={self.mix}", getattr(self, name), "0")

    @property
    def methods(self) -> list[MixConfig]:
        """The methods of mixing that `mix` names."""
        if self.mix == "none":
            return []
        alphas = {"mixup": self.mixup, "cutmix": self.cutmix}
        return [
            dataclasses.replace(method, alpha=alphas.get(method.method) or method.alpha)
            for method in chosen(self.mix, self.mix_labels, self.mix_options)
        ]

    @property
    def mix_needs_masks(self) -> bool:
        """True if mixing looks at the objects."""
        return any(method.needs_masks for method in self.methods)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {**dataclasses.asdict(self), "evaluate": list(self.evaluate)}

    def differences(self, stored: dict[str, Any]) -> list[str]:
        """Return what keeps a stored run from going on with this configuration: `name: stored, now`.

        A run from before there was an option did what the option's default does.
        """
        now, stored = self.to_json(), {**TrainConfig().to_json(), **stored}
        names = [name for name in now if name not in _ANY_TIME]
        return [f"{name}: {stored[name]!r}, now {now[name]!r}" for name in names if stored[name] != now[name]]


def parse(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Return the configuration that the command line gives.

    Raises:
        ConfigurationError: a value that is not allowed.
    """
    parser = argparse.ArgumentParser(description="Train a classifier on ForNet.")
    hints = get_type_hints(TrainConfig)
    for item in dataclasses.fields(TrainConfig):
        parser.add_argument(f"--{item.name.replace('_', '-')}", **_argument(item, hints[item.name]))
    values = vars(parser.parse_args(arguments))
    for name in ("recombination", "model_options", "mix_options"):
        if isinstance(values[name], list):
            values[name] = {**parser.get_default(name), **_pairs(name, values[name])}
    return TrainConfig(**{**values, "evaluate": tuple(values["evaluate"])})


def _argument(item: dataclasses.Field[Any], kind: Any) -> dict[str, Any]:
    """Return the options of `add_argument` for a field."""
    default = item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
    options: dict[str, Any] = {"default": default, "help": f"{item.metadata['meaning']} (%(default)s)"}
    if kind is bool:
        return {**options, "action": argparse.BooleanOptionalAction}
    if kind == dict[str, Any]:
        return {**options, "nargs": "*", "metavar": "NAME=VALUE"}
    if kind == tuple[str, ...]:
        return {**options, "nargs": "*", "choices": EVALUATIONS}
    return {**options, "type": {int | None: int, str | None: str}.get(kind, kind)}


def _pairs(option: str, words: Sequence[str]) -> dict[str, Any]:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        _require(bool(equals), option, word, "NAME=VALUE")
        try:
            pairs[name] = json.loads(value)
        except json.JSONDecodeError:  # a word without quotes
            pairs[name] = value
    return pairs


def _require(fits: bool, name: str, found: object, allowed: str) -> None:  # noqa: FBT001
    if not fits:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(found), allowed=allowed))
