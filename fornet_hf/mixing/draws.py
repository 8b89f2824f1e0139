"""A `Mix`: all that is drawn for a batch. Numbers, no pixels; NumPy alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fornet_hf.arguments import check_keywords, keywords
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.masks import lambdas
from fornet_hf.mixing.methods import BATCH, CutMixConfig, MixConfig, MixUpConfig

Box: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Mix:
    """The draw of one batch: who is mixed with whom, and how.

    Attributes:
        method: "fmix", "cutmix" or "mixup".
        partner: for each image the index of the one that is mixed into it.
        lam: lambda, an image's share of its mixture, 0 to 1: one for the batch, or one for each image.
        boxes: of CutMix, as many: what comes from the partner, as (first, end) in pixels along each dimension.
        key: of FMix's noise, 63 bits.
        reformulate: the label is the image's own, whatever its share.

    Example:
        >>> from fornet_hf.mixing import Mix
        >>> mix = Mix(method="cutmix", partner=(1, 0), lam=(0.75,), boxes=(((0, 16), (8, 24)),))
        >>> Mix.from_json(mix.to_json()) == mix
        True
    """

    method: str
    partner: tuple[int, ...]
    lam: tuple[float, ...]
    boxes: tuple[Box, ...] = ()
    key: int = 0
    reformulate: bool = False

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the images' own labels, 0 to 1: one for the batch, or one for each image."""
        return (1.0,) * len(self.lam) if self.reformulate else self.lam

    @property
    def is_identity(self) -> bool:
        """True if every image stays what it is."""
        return all(lam == 1.0 for lam in self.lam)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mix:
        """Return the numbers from a JSON object.

        Raises:
            ConfigurationError: it is no object of this kind.
        """
        check_keywords(value, keywords(cls))
        try:
            return cls(
                **{
                    **value,
                    "partner": tuple(value["partner"]),
                    "lam": tuple(value["lam"]),
                    "boxes": tuple(tuple((first, end) for first, end in box) for box in value.get("boxes", ())),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(explain("this is no Mix", found=value, allowed=keywords(cls))) from error


def draw(config: MixConfig, rng: np.random.Generator, count: int, size: Sequence[int]) -> Mix:
    """Draw how a batch is mixed.

    Args:
        config: the method and its parameters.
        rng: the only source of randomness.
        count: images in the batch.
        size: of an image in pixels, without channels: (height, width), or any other number of dimensions.

    Raises:
        ConfigurationError: images without space, where they are cut.

    Example:
        >>> import numpy as np
        >>> from fornet_hf.mixing import FMixConfig, draw
        >>> mix = draw(FMixConfig(each="image"), np.random.default_rng(0), 4, (32, 32))
        >>> mix.method, sorted(mix.partner), len(mix.lam)
        ('fmix', [0, 1, 2, 3], 4)
    """
    if not size and not isinstance(config, MixUpConfig):
        found, allowed = f"images without space for {config.method}", "N x channels x space"
        raise ConfigurationError(explain("images are no batch", found=found, allowed=allowed))
    number = 1 if config.each == BATCH else count
    lam = lambdas(rng, number, config.alpha, reformulate=config.reformulate)
    lam = np.where(rng.random(number) < config.p, lam, 1.0)
    partner = rng.permutation(count)
    boxes: tuple[Box, ...] = ()
    if isinstance(config, CutMixConfig):
        boxes, areas = _boxes(rng, lam, size)
        lam = 1.0 - areas if config.correct_lam else lam
    return Mix(
        method=config.method,
        partner=tuple(partner.tolist()),
        lam=tuple(lam.tolist()),
        boxes=boxes,
        key=int(rng.integers(2**63)),
        reformulate=config.reformulate,
    )


def identity(config: MixConfig, count: int) -> Mix:
    """Return what leaves a batch of `count` images as it is."""
    return Mix(method=config.method, partner=tuple(range(count)), lam=(1.0,))


def _boxes(
    rng: np.random.Generator, lam: NDArray[np.float64], size: Sequence[int]
) -> tuple[tuple[Box, ...], NDArray[np.float64]]:
    """Return boxes of the share 1 - lam about uniform centres, clipped at the border, and their shares then.

    In two dimensions a side is the root of the share, as in the paper; in n the n-th root.
    """
    sides = np.array(size)
    cut = (sides * ((1.0 - lam) ** (1.0 / len(size)))[:, None]).astype(np.int64)
    centres = rng.integers(0, sides, (len(lam), len(size)))
    first, end = np.clip(centres - cut // 2, 0, sides), np.clip(centres + (cut + 1) // 2, 0, sides)
    boxes = np.stack([first, end], axis=-1).tolist()
    return tuple(tuple((a, b) for a, b in box) for box in boxes), ((end - first) / sides).prod(axis=1)
