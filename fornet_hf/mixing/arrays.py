"""A drawn `Mix` applied to NumPy arrays, without torch: for previews, and for training in other frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.draws import Mix
from fornet_hf.mixing.masks import fmix_masks
from fornet_hf.mixing.methods import BackgroundMixConfig, FMixConfig, MixConfig
from fornet_hf.mixing.visible import background_weights, visible_shares
from fornet_hf.recombination.draw.rng import generator

Floats = npt.NDArray[np.float32]


class MixedArrays(NamedTuple):
    """A mixed batch of N images.

    Attributes:
        images: N x height x width x channels, of the dtype that was given.
        lam: float32, N: the shares of the images' own labels, 0 to 1; the rest is that of the partners' labels.
        partner: int64, N: the index of the image that is mixed into each.
        weights: float32, N x height x width: the share of the image itself in each pixel.

    Example:
        >>> import numpy as np
        >>> from fornet_hf.mixing import CutMixConfig, draw, mixed_arrays
        >>> mix = draw(CutMixConfig(), np.random.default_rng(0), 4, (32, 24))
        >>> mixed_arrays(mix, CutMixConfig(), np.zeros((4, 32, 24, 3), np.uint8)).weights.shape
        (4, 32, 24)
    """

    images: npt.NDArray[Any]
    lam: Floats
    partner: npt.NDArray[np.int64]
    weights: Floats


def mixed_arrays(
    mix: Mix, config: MixConfig, images: npt.NDArray[Any], masks: npt.NDArray[Any] | None = None
) -> MixedArrays:
    """Return a batch mixed as it was drawn. FMix's noise is NumPy's here: another one than that of the torch modules.

    Args:
        mix: what was drawn.
        config: what it was drawn from.
        images: N x height x width x channels, any dtype; means of integers are rounded.
        masks: of the objects, N x height x width, any dtype.

    Raises:
        ConfigurationError: masks are needed and missing, or arrays that do not fit the draw or each other.

    Example:
        >>> import numpy as np
        >>> from fornet_hf.mixing import FMixConfig, draw, mixed_arrays
        >>> images, labels = np.random.default_rng(0).random((4, 32, 32, 3)), np.eye(10)[[3, 1, 4, 1]]
        >>> mix = draw(FMixConfig(), np.random.default_rng(0), 4, (32, 32))
        >>> mixed = mixed_arrays(mix, FMixConfig(), images)
        >>> share = mixed.lam[:, None]
        >>> targets = share * labels + (1 - share) * labels[mixed.partner]
        >>> mixed.images.shape, targets.shape
        ((4, 32, 32, 3), (4, 10))
    """
    count, *size, _ = images.shape
    if len(mix.partner) != count:
        found = f"{count} images and a draw for {len(mix.partner)}"
        raise ConfigurationError(explain("the draw is not that of these images", found=found))
    partner, lam = np.array(mix.partner), np.array(mix.shares, np.float32)
    weights = pixel_weights(mix, config, size)
    if config.needs_masks:
        if masks is None:
            found = f"{config.method}, labels={config.labels!r}, no masks"
            raise ConfigurationError(explain("this mixing needs masks", found=found))
        if masks.shape != (count, *size):
            found, allowed = f"{masks.shape} and {images.shape}", "masks of N x height x width, without channels"
            raise ConfigurationError(explain("masks and images differ in shape", found=found, allowed=allowed))
        own, other = masks[:, None], masks[partner][:, None]
        if isinstance(config, BackgroundMixConfig):
            weights, lam = background_weights(weights, own, other), np.ones(1, np.float32)
        else:
            lam = visible_shares(weights, own, other, lam)
    weights = np.broadcast_to(weights[:, 0], (count, *size))
    mixed = weights[..., None] * images + (1 - weights[..., None]) * images[partner]
    mixed = mixed.round() if np.issubdtype(images.dtype, np.integer) else mixed
    return MixedArrays(mixed.astype(images.dtype), np.broadcast_to(lam, count), partner, weights)


def pixel_weights(mix: Mix, config: MixConfig, size: Sequence[int]) -> Floats:
    """Return the share of the image itself in each pixel, N or 1 x 1 x size, or 1 where it is constant."""
    if mix.boxes:
        made = np.ones((len(mix.boxes), 1, *size), np.float32)
        for weights, box in zip(made, mix.boxes, strict=True):
            weights[0][tuple(slice(first, end) for first, end in box)] = 0
        return made
    if isinstance(config, FMixConfig):
        masks = fmix_masks(
            mix.lam,
            size,
            generator("mask", mix.key),
            decay=config.decay,
            max_soft=config.max_soft,
            legacy_spectrum=config.legacy_spectrum,
        )
        return masks[:, None]
    return np.array(mix.lam, np.float32).reshape(-1, 1, *(1 for _ in size))
