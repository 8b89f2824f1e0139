"""Parameters of mixing, one dataclass a method; validated here, once, for every way in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from fornet_hf.arguments import check_keywords, is_integer, is_number, keywords, plain, require
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.configuration import MaskConfig

BATCH, IMAGE = EACH = ("batch", "image")
AREA, VISIBLE = LABELS = ("area", "visible")
_LARGEST = 1e6  # of what is an exponent or a parameter of a Beta distribution

Config = TypeVar("Config", bound="MixConfig")


@dataclass(frozen=True, kw_only=True)
class MixConfig:
    """The parameters that all methods of mixing have.

    Attributes:
        alpha: of the Beta(alpha, alpha) that lambda, an image's share of its mixture, is drawn from; above 0 to
            1,000,000. 1: uniform; below, mostly one of the two images; above, mostly half and half.
        each: "batch" draws one lambda and one mask or box for a whole batch, "image" one for each of its images.
        p: probability of mixing, 0 to 1: of each batch, or of each image with `each="image"`.
        off_for_last: epochs at the end of the training in which nothing is mixed, 0 or more. Needs their number:
            `set_epoch(epoch, epochs=...)`.
        num_classes: width of the targets, 1 or more; None where labels come as probabilities, or no targets are made.
        label_smoothing: share of a target that is spread evenly over all classes, 0 to 1.
        labels: "area" weights the two labels by lambda, "visible" by the visible area of each object, which needs
            masks.
        reformulate: lambda ~ Beta(alpha + 1, alpha), and the image's own label alone. Its expected loss is that of
            the two labels in FMix and MixUp; not in CutMix, where the two images have parts of different shapes.
        bce: `loss` is the binary cross-entropy, of several labels an image, in place of the cross-entropy.
        seed: with a seed a draw depends on (seed, epoch, step, rank) alone. None: on torch's seed of the process.

    Raises:
        ConfigurationError: a value that is not allowed.

    Example:
        >>> from fornet_hf.mixing import FMixConfig, MixConfig
        >>> MixConfig.from_json({"method": "fmix", "alpha": 0.2}) == FMixConfig(alpha=0.2)
        True
    """

    method: ClassVar[str] = ""

    alpha: float = 1.0
    each: str = BATCH
    p: float = 1.0
    off_for_last: float = 0.0
    num_classes: int | None = None
    label_smoothing: float = 0.0
    labels: str = AREA
    reformulate: bool = False
    bce: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, plain(getattr(self, field.name)))
        self._check("alpha", is_number(self.alpha) and 0 < self.alpha <= _LARGEST, f"above 0 to {_LARGEST:,.0f}")
        for name, choices in (("each", EACH), ("labels", LABELS)):
            self._check(name, getattr(self, name) in choices, ", ".join(map(repr, choices)))
        for name in ("p", "label_smoothing"):
            self._check_number(name, 0, 1)
        self._check_number("off_for_last", 0, _LARGEST)
        for name, low in (("num_classes", 1), ("seed", 0)):
            value: object = getattr(self, name)
            fits = value is None or (is_integer(value) and low <= value < 2**64)
            self._check(name, fits, f"an integer of {low} or more, or None")
        for name in (field.name for field in dataclasses.fields(self) if field.type == "bool"):
            self._check(name, isinstance(getattr(self, name), bool), "True or False")
        if self.reformulate:
            self._check("labels", self.labels == AREA, "'area' together with reformulate=True, which has one label")

    @property
    def soft(self) -> bool:
        """True if pixels of two images are averaged; False if each pixel comes from one of them."""
        return True

    @property
    def needs_masks(self) -> bool:
        """True if the objects' masks are needed."""
        return self.labels == VISIBLE

    def to_json(self) -> dict[str, Any]:
        """Return the parameters as JSON object, with the method's name."""
        return {"method": self.method, **dataclasses.asdict(self)}

    @classmethod
    def of(cls: type[Config], config: MixConfig | None, parameters: Mapping[str, Any]) -> Config:
        """Return a configuration that is given as such or by its fields; neither: the default.

        Raises:
            ConfigurationError: it is given in both ways, `config` is something else, or a field is not known.
        """
        check_keywords(parameters, keywords(cls))
        if config is None:
            return cls(**parameters)
        if not isinstance(config, cls) or config.method != cls.method or parameters:
            found = f"{config!r} and {sorted(parameters)}" if parameters else repr(config)
            allowed = f"one {cls.__name__}, or its fields as keywords"
            raise ConfigurationError(explain("config is not allowed", found=found, allowed=allowed))
        return config

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> MixConfig:
        """Return the parameters of a method from a JSON object; a missing name has its default.

        Raises:
            ConfigurationError: no method or an unknown one, unknown names, or values that are not allowed.
        """
        kind = METHODS.get(str(value.get("method"))) if isinstance(value, Mapping) else None
        if kind is None:
            allowed = f"an object with method, one of {', '.join(METHODS)}"
            raise ConfigurationError(explain("configuration is not allowed", found=repr(value), allowed=allowed))
        return kind.of(None, {name: item for name, item in value.items() if name != "method"})

    def _check_number(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        self._check(name, is_number(value) and low <= value <= high, f"a number from {low:g} to {high:g}")

    def _check(self, name: str, fits: bool, allowed: str) -> None:  # noqa: FBT001
        require(fits, name, getattr(self, name), allowed)


@dataclass(frozen=True, kw_only=True)
class MixUpConfig(MixConfig):
    """The parameters of MixUp: those of all methods.

    Example:
        >>> from fornet_hf.mixing import MixConfig, MixUpConfig
        >>> config = MixUpConfig(alpha=0.2, num_classes=10)
        >>> MixConfig.from_json(config.to_json()) == config
        True
    """

    method: ClassVar[str] = "mixup"


@dataclass(frozen=True, kw_only=True)
class CutMixConfig(MixConfig):
    """The parameters of CutMix.

    Attributes:
        correct_lam: an image's label has the share that the box, clipped at the border, leaves it. False: the share
            that was drawn.

    Example:
        >>> from fornet_hf.mixing import CutMixConfig
        >>> CutMixConfig(correct_lam=False).soft
        False
    """

    method: ClassVar[str] = "cutmix"

    correct_lam: bool = True

    @property
    def soft(self) -> bool:
        """False: a box is hard."""
        return False


@dataclass(frozen=True, kw_only=True)
class FMixConfig(MixConfig):
    """The parameters of FMix.

    Attributes:
        decay: power by which amplitudes fall with frequency, 0 to 100; larger values make smoother outlines.
        max_soft: half the share of the pixels that are averaged along a mask's outlines, 0 to 0.5; 0: hard outlines.
        legacy_spectrum: masks as FMix's published code draws them; see `fmix_masks`.

    Example:
        >>> from fornet_hf.mixing import FMixConfig
        >>> FMixConfig(max_soft=0.1).soft
        True
    """

    method: ClassVar[str] = "fmix"

    decay: float = 3.0
    max_soft: float = 0.0
    legacy_spectrum: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        MaskConfig(size=(2,), decay=self.decay, max_soft=self.max_soft, legacy_spectrum=self.legacy_spectrum)

    @property
    def soft(self) -> bool:
        """True if masks have values between 0 and 1."""
        return self.max_soft > 0


@dataclass(frozen=True, kw_only=True)
class BackgroundMixConfig(FMixConfig):
    """The parameters of BackgroundMix: those of FMix. `labels` is "area", as the one label is the image's own.

    Example:
        >>> from fornet_hf.mixing import BackgroundMixConfig
        >>> BackgroundMixConfig(max_soft=0.2).needs_masks
        True
    """

    method: ClassVar[str] = "background"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("labels", self.labels == AREA, "'area' in BackgroundMix, which has one label")

    @property
    def needs_masks(self) -> bool:
        """True: objects stay whole."""
        return True


METHODS: Mapping[str, type[MixConfig]] = {
    one.method: one for one in (FMixConfig, CutMixConfig, MixUpConfig, BackgroundMixConfig)
}
