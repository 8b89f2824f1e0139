"""The two phases of a step: the discriminator learns to tell images from composed layers, then the generator learns.

Foregrounds and masks are moved in both phases, so that a layer which is not whole shows. The loss of independence is
that of the layers before they are moved. Zou et al., "ILSGAN: Independent Layer Synthesis for Unsupervised
Foreground-Background Segmentation" (AAAI 2023).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

import torch
from torch import nn
from torch.autograd import backward

from producers.devices.carded import seeded
from producers.layers.augmentation import changed
from producers.layers.composition import Layers, composed, shifted
from producers.layers.drawing import Drawing, Drawn
from producers.layers.independence import distance, gaussian, laplace
from producers.layers.learned import LearnedBound
from producers.layers.losses import binary_loss, discriminator_loss, generator_loss, gradient_penalty, size_loss
from producers.layers.networks.discriminator import Discriminator
from producers.layers.networks.generator import LayerGenerator
from producers.layers.settings import LayerSettings

_LIKELIHOOD = 0.1  # weight of the learned distribution's own loss

Figures = dict[str, torch.Tensor]
Network = TypeVar("Network", bound=nn.Module)
Image = torch.Tensor  # float32, n x 3 x side x side, about -1 to 1


class Phases:
    """The networks, and the losses by which they learn; gradients stay in them, for whoever has the optimizers.

    Attributes:
        generator: that paints.
        average: of the generator's weights over the last steps.
        discriminator: that tells real images from composed ones.
        strength: of the augmentation of all that it sees, 0 to 1.
        bound: the learned distribution of the loss of independence; None: it is not a learned one.
    """

    def __init__(
        self,
        settings: LayerSettings,
        drawing: Drawing,
        autocast: Callable[[], AbstractContextManager[None]],
        *,
        compiled: bool = False,
    ) -> None:
        """Make the networks.

        Args:
            settings: of the training.
            drawing: for this process, on the device of the networks.
            autocast: in which the networks compute, but for what needs float32.
            compiled: whether `torch.compile` makes them faster; the gradient's penalty is computed without.
        """
        self.settings, self.drawing, self._autocast = settings, drawing, autocast
        self.generator = self._placed(LayerGenerator, settings.network)
        self.discriminator = self._placed(Discriminator, settings.network)
        self.strength = 0.0
        self.bound: LearnedBound | None = None
        kind = settings.independence.removeprefix("learned-")
        if kind != settings.independence:
            self.bound = self._placed(LearnedBound, kind)
        self.average = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self._paint: Callable[..., Layers] = torch.compile(self.generator) if compiled else self.generator
        judge = torch.compile(self.discriminator) if compiled else self.discriminator
        self._judge: Callable[[Image], torch.Tensor] = judge

    def _placed(self, kind: Callable[..., Network], form: object) -> Network:
        network = seeded(self.settings.seed, kind, form)
        return network.to(self.drawing.placement.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def discriminate(self, step: int, real: Image) -> Figures:
        """Leave gradients in the discriminator, and in the learned distribution; return the losses.

        Args:
            step: from 0.
            real: images.
        """
        settings = self.settings
        with torch.no_grad():
            layers, drawn = self._painted("discriminator", step, len(real))
            made = composed(shifted(layers, drawn.offsets))
        change = self._change("real", step, len(real))
        signs = self._judged(change(real))
        loss = discriminator_loss(signs, self._judged(self._change("made", step, len(real))(made)))
        backward(loss)
        figures = {"loss_discriminator": loss.detach(), "sign_real": signs.detach().sign().mean()}
        if self.bound is not None:
            with self._autocast():
                likelihood = self.bound.likelihood_loss(layers)
            backward(_LIKELIHOOD * likelihood)
            figures["likelihood"] = likelihood.detach()
        if step % settings.r1_every == 0 and settings.penalty:
            penalty = gradient_penalty(self.discriminator, real, change)
            backward(settings.penalty / 2 * settings.r1_every * penalty)
            figures["penalty"] = penalty.detach()
        return figures

    def generate(self, step: int, count: int) -> Figures:
        """Leave gradients in the generator; return the losses, and the mean of the masks.

        Args:
            step: from 0.
            count: of the images that are made.
        """
        settings = self.settings
        self.discriminator.requires_grad_(False)
        layers, drawn = self._painted("generator", step, count)
        moved = shifted(layers, drawn.offsets)
        seen = self._change("generator", step, count)(composed(moved))
        parts = {
            "loss_generator": generator_loss(self._judged(seen)),
            "binary": binary_loss(moved.mask),
            "size": size_loss(moved.mask, settings.least, settings.most),
        }
        weights = {"loss_generator": 1.0, "binary": settings.binary, "size": settings.size}
        if (weight := settings.independent(step)) > 0:
            parts["independence"], weights["independence"] = self._dependence(layers, drawn.order), weight
        backward(torch.stack([weights[name] * part for name, part in parts.items()]).sum())
        self.discriminator.requires_grad_(True)
        return {**{name: part.detach() for name, part in parts.items()}, "mask": layers.mask.detach().mean()}

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Let the average follow the generator after a step, from 0."""
        kept = self.settings.decay(step)
        torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - kept)
        for ours, theirs in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            ours.copy_(theirs)

    def _painted(self, phase: str, step: int, count: int) -> tuple[Layers, Drawn]:
        drawn = self.drawing.of(phase, step, count, self.generator)
        with self._autocast():
            layers = self._paint(drawn.latents, second=drawn.second, cuts=drawn.cuts, noises=drawn.noises)
        return layers, drawn

    def _change(self, phase: str, step: int, count: int) -> Callable[[Image], Image]:
        """Return the augmentation of images in a phase of a step."""
        if self.settings.augment is None:
            return lambda images: images
        changes = self.drawing.changes(phase, step, count, self.strength)
        return partial(changed, changes=changes)

    def _judged(self, images: Image) -> torch.Tensor:
        with self._autocast():
            return self._judge(images.contiguous(memory_format=torch.channels_last))

    def _dependence(self, layers: Layers, order: torch.Tensor) -> torch.Tensor:
        if self.bound is not None:
            return self.bound.bound(layers, order)
        kinds: dict[str, Callable[[], torch.Tensor]] = {
            "laplace": partial(laplace, layers, order),
            "gaussian": partial(gaussian, layers, order),
            "distance": partial(distance, layers),
        }
        return kinds[self.settings.independence]()
