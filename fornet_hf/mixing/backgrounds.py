"""`BackgroundMix`: two backgrounds in one image, around one object with one label."""

from __future__ import annotations

import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.applying import Mixed
from fornet_hf.mixing.draws import Mix
from fornet_hf.mixing.methods import BackgroundMixConfig
from fornet_hf.mixing.mixers import Mixer
from fornet_hf.mixing.visible import background_weights


class BackgroundMix(Mixer):
    """FMix of backgrounds alone: each image keeps its object, soft edge included, and its label.

    Of the other image no pixel of its object comes in, nor any of the rectangle around it: in a hole of its shape the
    object could still be recognised. So it needs ForNet's masks, those of `return_fg_masks=True` or of
    `Compositor.composed`. Where the mask of an original image is smaller than its object, the rest of that may show.

    Targets are one-hot with `num_classes`; without it the labels are handed through as they are.

    Args:
        config: the parameters as one value; else give the keywords of `BackgroundMixConfig`.
        generator: draw from this, in place of (seed, epoch, step, rank); not in workers of a DataLoader.
        epochs: number of epochs of the training, for `off_for_last`.
        **parameters: see `BackgroundMixConfig`, which holds their meaning, allowed values and defaults.

    Raises:
        ConfigurationError: a parameter that is not allowed, or a batch without masks.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import BackgroundMix
        >>> images, masks = torch.rand(2, 3, 32, 32), torch.zeros(2, 1, 32, 32, dtype=torch.uint8)
        >>> masks[:, :, 8:16, 8:16] = 255
        >>> mix = BackgroundMix(num_classes=5, seed=0)
        >>> mixed, targets, same = mix(images, torch.tensor([1, 4]), masks)
        >>> torch.equal(mixed[:, :, 8:16, 8:16], images[:, :, 8:16, 8:16]), targets.argmax(1)
        (True, tensor([1, 4]))
    """

    kind = BackgroundMixConfig

    def mixed(
        self, images: Tensor, labels: Tensor | None = None, masks: Tensor | None = None, *, step: int | None = None
    ) -> Mixed:
        """Return a mixed batch; see `FMix.mixed`. Without `num_classes` the targets are the labels as they are."""
        mixed = super().mixed(images, labels, masks, step=step)
        return mixed if mixed.targets is not None else mixed._replace(targets=labels)

    def weights(self, mix: Mix, images: Tensor, own: Tensor | None, other: Tensor | None) -> Tensor:
        """Return the share of the image itself in each pixel, N x 1 x height x width."""
        if own is None or other is None or own.ndim != 4 or own.shape[1] != 1:
            found = None if own is None else f"shape {tuple(own.shape)}"
            allowed, then = (
                "N x 1 x height x width",
                "Give them: mix(images, labels, masks), of return_fg_masks=True.",
            )
            raise ConfigurationError(explain("BackgroundMix needs masks", found=found, allowed=allowed, then=then))
        return background_weights(super().weights(mix, images, own, other), own, other)

    def label_shares(self, mix: Mix, weights: Tensor, own: Tensor | None, other: Tensor | None) -> Tensor:  # noqa: ARG002
        """Return 1: the label is the image's own."""
        return torch.ones(1, device=weights.device)
