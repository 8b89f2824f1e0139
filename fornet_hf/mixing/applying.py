"""A drawn `Mix` applied to tensors: weights of pixels, images, targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.draws import Box, Mix
from fornet_hf.mixing.methods import FMixConfig, MixConfig
from fornet_hf.mixing.on_tensors import fmix_masks


class Mixed(NamedTuple):
    """A mixed batch of N images.

    Attributes:
        images: N x channels x space, of the shape, dtype and memory format of the images that were given.
        targets: float32, N x classes, each row with a sum of 1; None without labels or without `num_classes`.
        masks: the masks, mixed as the images are; None without masks.
        lam: float32, N: the shares of the images' own labels, 0 to 1.
        partner: int64, N: the index of the image that is mixed into each.
        weights: float32, N or 1 x 1 x space, or 1 for a dimension in which it is constant: the share of the image
            itself in each pixel.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import FMix
        >>> mixed = FMix(each="image", seed=0).mixed(torch.rand(4, 3, 8, 8))
        >>> mixed.lam.shape, mixed.partner.shape, mixed.weights.shape
        (torch.Size([4]), torch.Size([4]), torch.Size([4, 1, 8, 8]))
    """

    images: Tensor
    targets: Tensor | None
    masks: Tensor | None
    lam: Tensor
    partner: Tensor
    weights: Tensor


class Pairs(NamedTuple):
    """The part of a `Mixed` that a loss needs."""

    lam: Tensor
    partner: Tensor


def unmixed(images: Tensor, targets: Tensor | None = None, masks: Tensor | None = None) -> Mixed:
    """Return a batch in which every image is as it was."""
    lam, partner = images.new_ones(len(images), dtype=torch.float32), torch.arange(len(images), device=images.device)
    return Mixed(images, targets, masks, lam, partner, lam.new_ones([1] * images.ndim))


def pixel_weights(mix: Mix, config: MixConfig, size: Sequence[int], device: torch.device) -> Tensor:
    """Return the share of the image itself in each pixel, as in `Mixed`."""
    if mix.boxes:
        return _outside(mix.boxes, size, device)
    if isinstance(config, FMixConfig):
        masks = fmix_masks(
            mix.lam,
            size,
            mix.key,
            device=device,
            decay=config.decay,
            max_soft=config.max_soft,
            legacy_spectrum=config.legacy_spectrum,
        )
        return masks[:, None]
    return on_device(mix.lam, torch.float32, device).view(-1, 1, *[1] * len(size))


def blend(shares: Tensor, own: Tensor, other: Tensor, *, soft: bool) -> Tensor:
    """Return `shares * own + (1 - shares) * other`, in the memory of `other` where that is possible.

    Args:
        shares: float32, 0 to 1, broadcast against the others; rounded to their dtype where that is no integer one.
        own: any dtype; averages of integers are rounded.
        other: of the same shape and dtype.
        soft: whether there may be shares other than 0 and 1.
    """
    if soft:
        if own.is_floating_point() or own.is_complex():
            return other.lerp_(own, shares.to(own.dtype))
        return torch.lerp(other.float(), own.float(), shares).round_().to(own.dtype)
    if own.dtype == torch.uint8 and not own.is_cuda:
        bits = shares.to(torch.uint8).neg_()  # of ones or of zeros: several times as fast there as `where`
        return (own ^ other).bitwise_and_(bits).bitwise_xor_(other)
    return torch.where(shares.bool(), own, other, out=None if own.requires_grad else other)


def of_partners(images: Tensor, partner: Tensor) -> Tensor:
    """Return `images[partner]`, in the memory format of the images."""
    return images.index_select(0, partner) if images.is_contiguous() else images[partner]  # the former is faster


def probabilities(labels: Tensor, classes: int | None, smoothing: float = 0.0) -> Tensor:
    """Return labels as float32 probabilities, N x classes, a share `smoothing` of which is spread over all classes.

    Args:
        labels: indices (N, any integer dtype), or probabilities (N x classes) as they are.
        classes: their number; None where labels are probabilities.
        smoothing: 0 to 1. The label's class gets 1 - smoothing + smoothing / classes, as in timm.

    Raises:
        ConfigurationError: labels of another shape, or, on the CPU, outside of 0 to classes - 1; a GPU stops with an
            assertion of CUDA there.
    """
    if labels.ndim == 1 and not labels.is_floating_point() and classes is not None:
        if not labels.is_cuda and len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            found, allowed = f"{int(labels.min())} to {int(labels.max())}", f"0 to {classes - 1}: see num_classes"
            raise ConfigurationError(explain("labels are not allowed", found=found, allowed=allowed))
        hard = torch.nn.functional.one_hot(labels.long(), classes).float()
    elif labels.ndim == 2 and classes in (None, labels.shape[1]):
        hard = labels.float()
    else:
        found = f"labels of {labels.dtype}, shape {tuple(labels.shape)}, and num_classes={classes}"
        allowed = "indices (N) with num_classes, or probabilities (N x num_classes)"
        raise ConfigurationError(explain("labels do not fit", found=found, allowed=allowed))
    return hard if smoothing == 0 else hard * (1.0 - smoothing) + smoothing / hard.shape[1]


def targets_of(labels: Tensor | None, classes: int | None, smoothing: float = 0.0) -> Tensor | None:
    """Return labels as probabilities; None for none, and for indices of an unknown number of classes."""
    if labels is None or (classes is None and labels.ndim == 1):
        return None
    return probabilities(labels, classes, smoothing)


def on_device(values: Sequence[float], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return numbers as tensor on a device."""
    return torch.tensor(values, dtype=dtype).to(device, non_blocking=True)


def _outside(boxes: Sequence[Box], size: Sequence[int], device: torch.device) -> Tensor:
    """Return float32, boxes x 1 x space: 0 in each box, 1 around it."""
    bounds = on_device(boxes, torch.int64, device)  # type: ignore[arg-type]
    inside = torch.ones((), device=device)
    for axis, side in enumerate(size):
        places = torch.arange(side, device=device)
        between = (places >= bounds[:, axis, :1]) & (places < bounds[:, axis, 1:])
        others = [side if other == axis else 1 for other in range(len(size))]
        inside = inside * between.view(len(boxes), 1, *others).float()
    return 1.0 - inside
