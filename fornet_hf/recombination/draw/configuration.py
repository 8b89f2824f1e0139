"""Parameters of a recombination: what is varied, and how much; validated here, once, for every way in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from fornet_hf.arguments import check_keywords, is_integer, is_number, keywords, plain, require
from fornet_hf.errors import ConfigurationError, explain

COMBINATIONS = ("orig", "same", "all")
SIZE_MODES = ("range", "min", "max", "mean")
SCHEDULES = ("linear", "revlinear", "cos")
BILINEAR, BICUBIC = INTERPOLATIONS = ("bilinear", "bicubic")
_LARGEST = 1e6  # of what is multiplied with areas; far more than any image has room for


@dataclass(frozen=True, kw_only=True)
class CropConfig:
    """A crop drawn as by torchvision's RandomResizedCrop, and composed straight at its output size.

    In evaluation nothing is drawn: the crop is that of torchvision's Resize(size / centre) and CenterCrop(size).

    Attributes:
        size: output (width, height) in pixels, or one number for both; 1 to 4096.
        scale: lower and upper bound of the crop's area / the image's area, 0.000001 to 1.
        ratio: lower and upper bound of width / height of the crop, 0.001 to 1000.
        centre: side of the evaluation crop / shorter side of the image, above 0 to 1 (0.875: 224 of 256).
        interpolation: the filter that scales background, object and mask, "bilinear" or "bicubic"; antialiased, as
            torchvision scales PIL images.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> import fornet_hf
        >>> fornet_hf.CropConfig(size=96, scale=(0.25, 1)).output
        (96, 96)
    """

    size: int | tuple[int, int] = 224
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    centre: float = 0.875
    interpolation: str = BILINEAR

    def __post_init__(self) -> None:
        _without_numpy(self)
        size = (self.size, self.size) if is_integer(self.size) else self.size
        fits = _is_pair(size) and all(is_integer(side) and 1 <= side <= 4096 for side in size)
        require(fits, "crop.size", self.size, "pixels from 1 to 4096, or (width, height)")
        object.__setattr__(self, "size", tuple(size))  # type: ignore[arg-type]
        for name, low, high in (("scale", 1e-6, 1.0), ("ratio", 1e-3, 1e3)):
            pair = getattr(self, name)
            fits = _is_pair(pair) and all(is_number(bound) for bound in pair) and low <= pair[0] <= pair[1] <= high
            require(fits, f"crop.{name}", pair, f"(lower, upper) with {low:g} <= lower <= upper <= {high:g}")
            object.__setattr__(self, name, (float(pair[0]), float(pair[1])))
        require(is_number(self.centre) and 0 < self.centre <= 1, "crop.centre", self.centre, "above 0 to 1")
        allowed = ", ".join(map(repr, INTERPOLATIONS))
        known = self.interpolation in INTERPOLATIONS
        require(known, "crop.interpolation", self.interpolation, allowed)

    @property
    def output(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.size  # type: ignore[return-value]  # a pair since __post_init__


@dataclass(frozen=True, kw_only=True)
class RecombinationConfig:
    """The parameters of a recombination that concern pixels. The defaults are the paper's recipe.

    Attributes:
        background_combination: "orig" (the image's own infilled background; "original" means the same), "same"
            (any background of the class) or "all" (any background).
        fg_scale_jitter: how far the object's area may leave the goal interval, as share of its ends: one number
            from 0 to 1 for both, or a pair (share below, 0 to 1; share above, 0 to 1,000,000).
        pruning_ratio: only backgrounds of images whose object covered less than this; 0 or more, 1.1 keeps all. In
            "same" a class which that leaves without any keeps all of its own; where no class has any left, nothing
            is pruned and a warning says so.
        fg_size_mode: the goal interval for the object's area, from the areas in the two images that foreground
            and background came from: "range" (from the smaller to the larger), "min", "max" or "mean".
        fg_bates_n: uniform numbers whose mean is the position; more: towards the centre; negative: towards the
            edges; 0: the centre; 1 and -1: uniform. -1000 to 1000.
        mask_smoothing_sigma: upper bound for the radius of the edge's feather in pixels of the canvas, 0 or more.
        rel_jut_out: share of the object's width and height that may leave the canvas, 0 to 1.
        orig_img_prob: probability of the original image: 0 to 1, or as schedule over e of E epochs "linear"
            (e/E), "revlinear" ((E-e)/E) or "cos" (1-cos(pi e/2E)).
        fg_in_nonant: cell of a 3 x 3 grid which holds the object, 0 to 8 in reading order; -1: sized for a
            cell, placed anywhere; None: no grid. An object that is larger than its cell is shrunk to fit, and
            `fitted` in its composition says to which share of the area that was drawn.
        fg_size_fact: factor on the object's area, above 0 to 1,000,000. In a cell of `fg_in_nonant` the cell is the
            upper limit: a sweep of sizes there measures the limit wherever `fitted` is below 1.
        paste_pre_transform: False crops the background first and pastes into the crop.
        crop: compose straight at the output size of this crop, also given as its `size` alone; None gives the
            whole canvas.
        flip: probability of mirroring left to right, 0 to 1.
        evaluation: the crop is centred, and so is what shows of a foreground larger than the background; no flip,
            and the same examples in every epoch. None: True for the validation split, else False.
        seed: with a seed an example depends on (seed, epoch, key) alone. None: on torch's seed of the process, or,
            without torch and in forked processes other than DataLoader's workers, on the system's entropy; in
            evaluation it means 0.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> import fornet_hf
        >>> config = fornet_hf.RecombinationConfig(fg_bates_n=3, crop=224, orig_img_prob="cos")
        >>> config.original_probability(epoch=0, epochs=300)
        0.0
        >>> fornet_hf.RecombinationConfig.from_json(config.to_json()) == config
        True
    """

    background_combination: str = "all"
    fg_scale_jitter: float | tuple[float, float] = 0.3
    pruning_ratio: float = 0.8
    fg_size_mode: str = "range"
    fg_bates_n: int = 1
    mask_smoothing_sigma: float = 4.0
    rel_jut_out: float = 0.0
    orig_img_prob: float | str = 0.0
    fg_in_nonant: int | None = None
    fg_size_fact: float = 1.0
    paste_pre_transform: bool = True
    crop: CropConfig | None = None
    flip: float = 0.0
    evaluation: bool | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        _without_numpy(self)
        if self.background_combination == "original":
            object.__setattr__(self, "background_combination", "orig")
        _choice(self, "background_combination", COMBINATIONS)
        _choice(self, "fg_size_mode", SIZE_MODES)
        _number(self, "pruning_ratio", 0, math.inf)
        _number(self, "mask_smoothing_sigma", 0, 1000)
        _number(self, "rel_jut_out", 0, 1)
        _number(self, "flip", 0, 1)
        _integer(self, "fg_bates_n", -1000, 1000)
        for name, choices in (("paste_pre_transform", (True, False)), ("evaluation", (True, False, None))):
            value = getattr(self, name)
            fits = any(value is choice for choice in choices)
            require(fits, name, value, f"{', '.join(map(str, choices[:-1]))} or {choices[-1]}")
        if isinstance(self.orig_img_prob, str):
            _choice(self, "orig_img_prob", SCHEDULES)
        else:
            _number(self, "orig_img_prob", 0, 1)
        if self.fg_in_nonant is not None:
            _integer(self, "fg_in_nonant", -1, 8)
        if self.seed is not None:
            _integer(self, "seed", 0, 2**64 - 1)
        fact = self.fg_size_fact
        require(is_number(fact) and 0 < fact <= _LARGEST, "fg_size_fact", fact, f"above 0 to {_LARGEST:,.0f}")
        crop: object = self.crop
        if isinstance(crop, (int, tuple, list)) and not isinstance(crop, bool):
            object.__setattr__(self, "crop", crop := CropConfig(size=crop))  # type: ignore[arg-type]
        allowed = "pixels (224), (width, height) in pixels, a CropConfig, or None"
        require(crop is None or isinstance(crop, CropConfig), "crop", crop, allowed)
        self._check_jitter()

    def _check_jitter(self) -> None:
        jitter = self.fg_scale_jitter
        pair = (jitter, jitter) if is_number(jitter) else jitter
        fits = _is_pair(pair) and all(is_number(share) for share in pair)
        fits = fits and 0 <= pair[0] <= 1 and 0 <= pair[1] <= _LARGEST  # type: ignore[index]
        allowed = f"a number from 0 to 1, or a pair (0 to 1, 0 to {_LARGEST:,.0f})"
        require(fits and (pair is jitter or pair[0] <= 1), "fg_scale_jitter", jitter, allowed)  # type: ignore[index]
        if pair is jitter:
            object.__setattr__(self, "fg_scale_jitter", (float(pair[0]), float(pair[1])))  # type: ignore[index]

    def for_split(self, split: object) -> RecombinationConfig:
        """Return the configuration with `evaluation` as it was said, else True if all rows are of validation."""
        if self.evaluation is not None:
            return self
        evaluated = split is not None and {"validation", "val", "test"}.issuperset(names_in(split))
        return dataclasses.replace(self, evaluation=evaluated)

    @property
    def jitter(self) -> tuple[float, float]:
        """The shares by which the goal interval is widened below and above."""
        jitter = self.fg_scale_jitter
        return jitter if isinstance(jitter, tuple) else (jitter, jitter)

    @property
    def follows_epochs(self) -> bool:
        """True if examples depend on the epoch that was set."""
        return not self.evaluation and (self.seed is not None or isinstance(self.orig_img_prob, str))

    def original_probability(self, epoch: float, epochs: float | None) -> float:
        """Return the probability of the original image in epoch `epoch` (from 0) of `epochs`.

        Raises:
            ConfigurationError: a schedule without knowing the number of epochs.
        """
        if not isinstance(self.orig_img_prob, str):
            return float(self.orig_img_prob)
        if not epochs:
            raise ConfigurationError(
                explain(
                    f'orig_img_prob="{self.orig_img_prob}" needs the number of epochs, which is not set',
                    then="Call fornet_hf.set_epoch(ds, epoch, epochs=...), or set ds.epochs and ds.epoch.",
                )
            )
        done = min(max(epoch / epochs, 0.0), 1.0)
        if self.orig_img_prob == "cos":
            return 1.0 - math.cos(math.pi * done / 2)
        return done if self.orig_img_prob == "linear" else 1.0 - done

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RecombinationConfig:
        """Return the parameters from a JSON object; a missing name has its default.

        Raises:
            ConfigurationError: unknown names, or values that are not allowed.
        """
        values = _known(cls, "configuration", value)
        if isinstance(values.get("crop"), Mapping):
            values["crop"] = CropConfig(**_known(CropConfig, "crop", values["crop"]))
        return cls(**values)


def names_in(split: object) -> list[str]:
    """Return the splits which `split`, or a list, takes rows from: train and validation of `train[:9]+validation`."""
    several = split if isinstance(split, list | tuple) else [split]
    return sorted({part.split("[")[0].strip() for one in several for part in str(one).split("+")})


def _without_numpy(config: Any) -> None:
    for field in dataclasses.fields(config):
        object.__setattr__(config, field.name, plain(getattr(config, field.name)))


def differences(value: Any) -> list[str]:
    """Return the fields of a dataclass whose values are not the defaults, as `name=value`."""
    fields = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
    differing = [(field.name, found) for field, found in fields if found != field.default]
    return [f"{name}={_shown(found)}" for name, found in differing if (name, found) != ("evaluation", False)]


def _shown(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return f"{type(value).__name__}({', '.join(differences(value))})"
    return " ".join(repr(value).split())  # torchvision writes one step a line


def _known(cls: type, what: str, value: object) -> dict[str, Any]:
    names = keywords(cls)
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            explain(f"{what} is not allowed", found=repr(value), allowed=f"an object with {names}")
        )
    check_keywords(value, names)
    return {name: tuple(item) if isinstance(item, list) else item for name, item in value.items()}


def _choice(config: object, name: str, allowed: tuple[str, ...]) -> None:
    value = getattr(config, name)
    require(isinstance(value, str) and value in allowed, name, value, ", ".join(map(repr, allowed)))


def _number(config: object, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    require(is_number(value) and low <= value <= high, name, value, f"a number from {low:g} to {high:g}")


def _integer(config: object, name: str, low: int, high: int) -> None:
    value = getattr(config, name)
    require(is_integer(value) and low <= value <= high, name, value, f"an integer from {low} to {high}")


def _is_pair(value: object) -> TypeGuard[tuple[Any, Any] | list[Any]]:
    return isinstance(value, (tuple, list)) and len(value) == 2
