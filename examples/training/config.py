"""A run's configuration: a frozen value, kept as JSON in the run's folder."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.choosing import KINDS
from fornet_hf.evaluation.models import FORMS
from fornet_hf.mixing.choosing import NAMES as MIXES
from fornet_hf.mixing.choosing import chosen
from fornet_hf.mixing.methods import AREA, MixConfig
from training.kinds import has_kind, in_words

EVALUATIONS = ("original", "all", "same")
NONE = "none"
PRETRAINED = "pretrained"
CONFIGURATION = "config.json"
"""The file in a run's folder that has its configuration."""
CHOICES = {
    "optimizer": ("adamw", "adam", "sgd"),
    "schedule": ("cosine", "step", "plateau", "constant"),
    "precision": ("bf16", "fp32"),
    "crop": ("random", "padded", "centre"),
    "augment": (NONE, "randaugment", "3augment"),
    "tune": (NONE, "lora", "oft", "full", "head"),
    "bn": ("freeze", "adapt"),
    "defer": ("auto", NONE, "pixels", "jpeg"),
}
"""The values of those options that have a few."""
_COUNTS = {
    **dict.fromkeys(("size", "epochs", "batch_size", "accumulate", "eval_every"), 1),
    "workers": 0,
    "patience": 0,
}
_AMOUNTS = ("lr", "min_lr", "warmup_epochs", "weight_decay", "clip_norm", "mixup", "cutmix", "rotate", "color_jitter")
_SHARES = ("ema", "decay", "flip", "label_smoothing")
# What may differ when a run is resumed.
_ANY_TIME = {
    *("out", "imagenet_dir", "cache_dir", "workers", "stop_after", "compile", "defer"),
    *("tensorboard", "measures", "measure_on"),
}


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
    images: str | None = _option(
        None,
        "other images in ForNet's place, as they are: a folder with train/CLASS/IMAGE and val/CLASS/IMAGE, such as a "
        "variant of ImageNet-9; or a repository with images and labels, such as uoft-cs/cifar10",
    )
    recombination: dict[str, Any] = _option(
        lambda: {"orig_img_prob": "cos"},
        "NAME=VALUE of docs/parameters.md, as many as you like; beside the defaults, unless they name these, too",
    )
    size: int = _option(224, "side of the images in pixels")
    crop: str = _option(
        "random",
        "random: of any size and shape; padded: whole images, moved by up to an eighth, for small ones; centre: the "
        "square in the middle",
    )
    flip: float = _option(0.5, "probability of flipping an image")
    rotate: float = _option(0.0, "largest rotation to either side, degrees")
    augment: str = _option(NONE, "after recombination, crop and flip: none, randaugment or 3augment")
    color_jitter: float = _option(0.0, "strength of changes in brightness, contrast and saturation")
    mixup: float = _option(0.0, "alpha of MixUp; 0: none, or 1 with a --mix that has it")
    cutmix: float = _option(0.0, "alpha of CutMix, likewise. With both and no --mix, each step takes one of them")
    mix: str = _option(NONE, f"{', '.join(MIXES)}, several as fmix+mixup, or none; docs/mixing.md")
    mix_in_turn: bool = _option(False, "several methods in turn, batch by batch; else each batch draws one")
    mix_labels: str = _option(AREA, "labels of mixed images by area, or by the visible area of each object")
    mix_options: dict[str, Any] = _option(dict, "NAME=VALUE for --mix, e.g. alpha=0.2 each=image off_for_last=10")

    model: str = _option("timm:vit_small_patch16_224", f"{FORMS}, or tiny, or preact_resnet18")
    model_options: dict[str, Any] = _option(dict, "NAME=VALUE for the model, e.g. drop_path_rate=0.05")
    weights: str | None = _option(
        None, "that training begins with: pretrained, a checkpoint, or the folder of a run; random else"
    )
    tune: str = _option(
        NONE,
        "weights that are there already: by lora or oft, the head alone, or in full; without --weights, pretrained",
    )
    adapter: dict[str, Any] = _option(dict, "NAME=VALUE for --tune, e.g. rank=4; docs/tuning.md")
    bn: str = _option("freeze", "statistics of BatchNorm while a model is tuned: freeze them, or adapt")

    epochs: int = _option(300, "epochs of the whole training")
    batch_size: int = _option(1024, "images a step, of all processes together")
    accumulate: int = _option(
        1, "parts of a step that are computed one after the other, in less memory; BatchNorm and mixing see one"
    )
    optimizer: str = _option("adamw", "adamw, adam or sgd")
    nesterov: bool = _option(True, "Nesterov's momentum for sgd")
    lr: float = _option(1e-3, "highest learning rate")
    min_lr: float = _option(1e-5, "learning rate at the end of the cosine, and the lowest of a plateau")
    warmup_epochs: float = _option(5.0, "epochs in which the learning rate rises from 0")
    schedule: str = _option(
        "cosine",
        "of the learning rate: cosine; step: multiplied by --decay at each of --milestones; plateau: multiplied by "
        "it where the loss of the first of --evaluate has not fallen for more than --patience evaluations; constant",
    )
    milestones: tuple[int, ...] = _option((), "epochs of --schedule step")
    decay: float = _option(0.1, "factor of --schedule step and plateau")
    patience: int = _option(2, "evaluations of --schedule plateau")
    weight_decay: float = _option(0.05, "of weights; biases and norms have none")
    clip_norm: float = _option(1.0, "largest norm of the gradient; 0: any")
    label_smoothing: float = _option(0.0, "0 to below 1")
    ema: float = _option(
        0.0, "share that a moving average of the weights keeps in a step, e.g. 0.9999; evaluated beside them. 0: none"
    )
    precision: str = _option("bf16", "bf16 (autocast) or fp32")
    seed: int = _option(0, "of weights, order, recombination and augmentation")

    evaluate: tuple[str, ...] = _option(
        ("original",), "validation: original images, or recombined with backgrounds of all or the same class"
    )
    eval_every: int = _option(1, "epochs between evaluations; the last epoch is always evaluated")
    measures: tuple[str, ...] = _option(
        (), "measures of fornet evaluate to take of the trained model, e.g. accuracy background; report/ has them"
    )
    measure_on: str | None = _option(None, "data of fornet evaluate for --measures; the validation images else")
    tensorboard: bool = _option(False, "write the figures for TensorBoard, too")
    workers: int = _option(8, "loading processes for each training process")
    defer: str = _option(
        "auto",
        "who composes: none: workers; pixels or jpeg: the device, of images that workers decode, or only fetch; "
        "auto: jpeg on a GPU where nothing but recombination changes the images",
    )
    stop_after: int | None = _option(None, "epochs in this call, for queues with a time limit; call again to go on")
    compile: bool = _option(False, "torch.compile the model")

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(TrainConfig).items():
            if isinstance(value := getattr(self, name), list):  # of JSON
                object.__setattr__(self, name, value := tuple(value))
            require(has_kind(value, kind), name, value, in_words(kind))
        for name, allowed in CHOICES.items():
            require(getattr(self, name) in allowed, name, getattr(self, name), ", ".join(allowed))
        for name, lowest in (*_COUNTS.items(), *dict.fromkeys(_AMOUNTS, 0).items()):
            require((value := getattr(self, name)) >= lowest, name, value, f"{lowest} or more")
        for name in _SHARES:
            require(0 <= (value := getattr(self, name)) <= 1, name, value, "0 to 1")
        require(set(self.evaluate) <= set(EVALUATIONS), "evaluate", self.evaluate, ", ".join(EVALUATIONS))
        require(set(self.measures) <= set(KINDS), "measures", self.measures, ", ".join(KINDS))
        self._check_mix()
        self._check_images()
        self._check_schedule()
        if self.tune == NONE:
            require(not self.adapter, "adapter without tune", self.adapter, "none")
        require(not {"kind", "bn"} & set(self.adapter), "adapter", self.adapter, "all but --tune and --bn")
        if self.defer in ("pixels", "jpeg"):
            require(not (found := self.changes), f"{found} with defer", getattr(self, found, ""), "its default")

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.out)

    @property
    def centre(self) -> float:
        """Side of the square that evaluation shows / shorter side of the image."""
        return 0.875 if self.crop == "random" else 1.0

    @property
    def evaluations(self) -> tuple[str, ...]:
        """Names of what is evaluated after an epoch, in figures."""
        return self.evaluate if self.images is None else ("images",) * len(self.evaluate)

    @property
    def base(self) -> str | None:
        """The weights that training begins with, as `weights` names them; None: random ones."""
        return self.weights or (None if self.tune == NONE else PRETRAINED)

    @property
    def changes(self) -> str:
        """Name of an option that needs whole images in the loading processes; empty: there is none."""
        usual = {"images": None, "augment": NONE, "color_jitter": 0, "rotate": 0}
        return next((name for name, value in usual.items() if getattr(self, name) != value), "")

    def _check_images(self) -> None:
        if self.images is None:
            require(self.crop != "padded", "crop without images", self.crop, "random, centre")
            return
        require(not self.plain, "plain with images", self.plain, "False: images are shown as they are")
        require(self.evaluate in (("original",), ()), "evaluate with images", self.evaluate, "original")
        require(not self.mix_needs_masks, "mix with images", f"{self.mix}, {self.mix_labels}", "what needs no masks")

    def _check_schedule(self) -> None:
        stepped = self.schedule == "step"
        allowed = "epochs" if stepped else "none"
        require(
            bool(self.milestones) == stepped, f"milestones with schedule={self.schedule}", self.milestones, allowed
        )
        require(self.schedule != "plateau" or bool(self.evaluate), "plateau without evaluate", (), "original")

    def _check_mix(self) -> None:
        if self.mix == NONE:
            require(self.mix_labels == AREA, "mix_labels without mix", self.mix_labels, AREA)
            require(not self.mix_options, "mix_options without mix", self.mix_options, NONE)
            return
        of_the_run = {"seed", "num_classes", "label_smoothing", "bce"} & set(self.mix_options)
        require(not of_the_run, "mix_options", ", ".join(sorted(of_the_run)), "what the run does not set itself")
        methods = {method.method for method in self.methods}
        for name in {"mixup", "cutmix"} - methods:
            require(not getattr(self, name), f"{name} with mix={self.mix}", getattr(self, name), "0")

    @property
    def methods(self) -> list[MixConfig]:
        """The methods of mixing that `mix` names."""
        if self.mix == NONE:
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
        value: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return value

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits for all that figures depend on but the seed, that of a base included."""
        kept = {name: value for name, value in self.to_json().items() if name not in {*_ANY_TIME, "seed"}}
        base = Path(self.weights or "").expanduser() / CONFIGURATION
        if self.weights is not None and base.is_file() and base.parent.absolute() != self.folder.absolute():
            stored = json.loads(base.read_text())
            if stored.keys() <= get_type_hints(TrainConfig).keys():  # else the folder is no run's, but a library's
                kept["weights"] = TrainConfig(**stored).digest
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def differences(self, stored: dict[str, Any]) -> list[str]:
        """Return what keeps a stored run from going on with this configuration: `name: stored, now`.

        A run from before there was an option did what the option's default does.
        """
        now, stored = self.to_json(), {**TrainConfig().to_json(), **stored}
        names = [name for name in now if name not in _ANY_TIME]
        return [f"{name}: {stored[name]!r}, now {now[name]!r}" for name in names if stored[name] != now[name]]


def require(fits: bool, name: str, found: object, allowed: str) -> None:  # noqa: FBT001
    """Raise ConfigurationError, which names the option, unless its value fits."""
    if not fits:
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(found), allowed=allowed))
