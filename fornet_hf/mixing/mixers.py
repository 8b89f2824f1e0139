"""FMix, CutMix and MixUp: torch modules that are called on batches."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.applying import Mixed, blend, of_partners, on_device, pixel_weights, targets_of, unmixed
from fornet_hf.mixing.calling import BatchMixer
from fornet_hf.mixing.draws import Mix
from fornet_hf.mixing.methods import AREA, CutMixConfig, FMixConfig, MixConfig, MixUpConfig
from fornet_hf.mixing.steps import Steps, Turn
from fornet_hf.mixing.visible import visible_shares
from fornet_hf.recombination.draw.configuration import differences


class Mixer(BatchMixer):
    """One method of mixing with its parameters.

    Args:
        config: the parameters as one value; else give them as keywords.
        generator: draw from this, in place of (seed, epoch, step, rank); not in workers of a DataLoader.
        epochs: number of epochs of the training, for `off_for_last`.
        **parameters: see the method's configuration.
    """

    kind: ClassVar[type[MixConfig]]
    config: MixConfig

    def __init__(
        self,
        *,
        config: MixConfig | None = None,
        generator: torch.Generator | None = None,
        epochs: float | None = None,
        **parameters: Any,
    ) -> None:
        config = self.kind.of(config, parameters)
        super().__init__(config, Steps(config.method, config.seed, generator, epochs), config.off_for_last)

    def extra_repr(self) -> str:
        """Return the parameters that are not the defaults."""
        return ", ".join(differences(self.config))

    def chosen(self, turn: Turn) -> Mixer:  # noqa: ARG002
        """Return itself."""
        return self

    def applied(self, mix: Mix, images: Tensor, labels: Tensor | None = None, masks: Tensor | None = None) -> Mixed:
        """Return a batch mixed as it was drawn; arguments as those of `mixed`."""
        targets = targets_of(labels, self.config.num_classes, self.config.label_smoothing)
        if mix.is_identity:
            return unmixed(images, targets, masks)
        partner = on_device(mix.partner, torch.int64, images.device)
        own = masks if masks is None or masks.ndim == images.ndim else masks[:, None]
        other = None if own is None else of_partners(own, partner)
        weights = self.weights(mix, images, own, other)
        lam = self.label_shares(mix, weights, own, other).expand(len(images))
        mixture = functools.partial(blend, weights, soft=self.config.soft)
        return Mixed(
            images=mixture(images, of_partners(images, partner)),
            targets=None if targets is None else torch.lerp(targets[partner], targets, lam[:, None]),
            masks=None if masks is None else mixture(own, other).reshape(masks.shape),  # type: ignore[arg-type]
            lam=lam,
            partner=partner,
            weights=weights,
        )

    def weights(self, mix: Mix, images: Tensor, own: Tensor | None, other: Tensor | None) -> Tensor:  # noqa: ARG002
        """Return the share of the image itself in each pixel, N or 1 x 1 x space, or 1 where it is constant.

        Args:
            mix: the draw.
            images: N x channels x space.
            own: masks of the objects in these images, N x channels x space.
            other: those in their partners.
        """
        return pixel_weights(mix, self.config, images.shape[2:], images.device)

    def label_shares(self, mix: Mix, weights: Tensor, own: Tensor | None, other: Tensor | None) -> Tensor:
        """Return the share of the image's own label, N or 1.

        Args:
            mix: the draw.
            weights: the share of the image itself in each pixel.
            own: masks of the objects in these images, N x channels x space.
            other: those in their partners.

        Raises:
            ConfigurationError: labels by visible area without masks.
        """
        lam = on_device(mix.shares, torch.float32, weights.device)
        if self.config.labels == AREA:
            return lam
        if own is None or other is None:
            then = "Give them: mix(images, labels, masks)."
            raise ConfigurationError(explain("labels by visible area need masks", then=then))
        return visible_shares(weights, own, other, lam)


class FMix(Mixer):
    """FMix (Harris et al. 2020): the parts of two images on either side of outlines of low frequency.

    Use `mix(images, labels)` as torchvision's MixUp and CutMix and as timm's Mixup; `x = mix(x)` and
    `mix.loss(logits, y)` where labels stay indices; `mix.mixed(...)` for masks, lambda and partners.

    Args:
        config: the parameters as one value; else give the keywords of `FMixConfig`.
        generator: draw from this, in place of (seed, epoch, step, rank); not in workers of a DataLoader.
        epochs: number of epochs of the training, for `off_for_last`.
        **parameters: see `FMixConfig`, which holds their meaning, allowed values and defaults.

    Raises:
        ConfigurationError: a parameter that is not allowed.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import FMix
        >>> mix = FMix(num_classes=10, alpha=1.0, seed=0)
        >>> images, targets = mix(torch.rand(8, 3, 32, 32), torch.arange(8))
        >>> images.shape, targets.shape
        (torch.Size([8, 3, 32, 32]), torch.Size([8, 10]))
    """

    kind = FMixConfig


class CutMix(Mixer):
    """CutMix (Yun et al. 2019): a box of each image comes from another.

    torchvision's and timm's do the same for a batch as a whole. This one also takes masks, batches of odd sizes, one
    box an image, images of 1 to 3 dimensions, a seed or a generator, and leaves its input as it is.

    Args:
        config: the parameters as one value; else give the keywords of `CutMixConfig`.
        generator: draw from this, in place of (seed, epoch, step, rank); not in workers of a DataLoader.
        epochs: number of epochs of the training, for `off_for_last`.
        **parameters: see `CutMixConfig`, which holds their meaning, allowed values and defaults.

    Raises:
        ConfigurationError: a parameter that is not allowed.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import CutMix
        >>> mixed = CutMix(each="image", seed=0).mixed(torch.rand(5, 3, 32, 32))
        >>> torch.allclose(mixed.weights.mean((1, 2, 3)), mixed.lam)
        True
    """

    kind = CutMixConfig


class MixUp(Mixer):
    """MixUp (Zhang et al. 2018): the weighted mean of two images.

    torchvision's and timm's do the same for a batch as a whole. This one also takes masks, batches of odd sizes, one
    lambda an image, any number of dimensions, a seed or a generator, and leaves its input as it is.

    Args:
        config: the parameters as one value; else give the keywords of `MixUpConfig`.
        generator: draw from this, in place of (seed, epoch, step, rank); not in workers of a DataLoader.
        epochs: number of epochs of the training, for `off_for_last`.
        **parameters: see `MixUpConfig`, which holds their meaning, allowed values and defaults.

    Raises:
        ConfigurationError: a parameter that is not allowed.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import MixUp
        >>> mix = MixUp(num_classes=3, seed=0)
        >>> images, targets = mix(torch.rand(2, 3, 32, 32), torch.tensor([0, 2]))
        >>> targets.sum(1)
        tensor([1., 1.])
    """

    kind = MixUpConfig
