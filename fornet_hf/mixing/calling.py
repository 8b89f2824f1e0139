"""`BatchMixer`: what all mixers have in common, being called on batches; and the loss after it."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.alternation import AnyConfig
from fornet_hf.mixing.applying import Mixed, Pairs, probabilities, targets_of, unmixed
from fornet_hf.mixing.draws import Mix, draw, identity
from fornet_hf.mixing.losses import mixed_loss
from fornet_hf.mixing.methods import MixConfig
from fornet_hf.mixing.steps import Steps, Turn


class Method(Protocol):
    """One method of mixing: its parameters, and a draw from them applied to a batch."""

    config: MixConfig
    off_for_last: float

    def applied(self, mix: Mix, images: Tensor, labels: Tensor | None = None, masks: Tensor | None = None) -> Mixed:
        """Return a batch mixed as it was drawn."""


class BatchMixer(nn.Module):
    """A module that is called on batches. In evaluation mode, after `eval()`, it mixes nothing.

    Attributes:
        config: the parameters.
        steps: the randomness of each step.
        off_for_last: epochs at the end of the training in which nothing is mixed.
        mixup_enabled: False: nothing is mixed. timm's training loop turns a switch of this name off.
    """

    config: AnyConfig

    def __init__(self, config: AnyConfig, steps: Steps, off_for_last: float) -> None:
        super().__init__()
        self.config, self.steps, self.off_for_last = config, steps, off_for_last
        self.mixup_enabled = True
        self._last: Pairs | None = None

    @abstractmethod
    def chosen(self, turn: Turn) -> Method:
        """Return the method of this step."""

    def set_epoch(self, epoch: float, epochs: float | None = None, step: int = 0) -> None:
        """Begin an epoch, also in workers that already run.

        Args:
            epoch: from 0.
            epochs: their number, if it was not said before; for `off_for_last`.
            step: batches of this epoch that were mixed before, where a training goes on in the middle of it.
        """
        self.steps.set_epoch(epoch, epochs, step)

    def forward(
        self, images: Any, labels: Tensor | None = None, masks: Tensor | None = None, *, step: int | None = None
    ) -> Any:
        """Return a mixed batch in the form in which it is given; arguments as those of `mixed`.

        - Images alone give images; images and labels give (images, targets); masks come after them.
        - A list or tuple of these gives a list or tuple.
        - A mapping with `image` and `label`, as of `fornet_hf.collate`, gives a dict with all its columns, of which
          `image`, `label` and, where there is one, `mask` are mixed.
        """
        if isinstance(images, Mapping):
            return self._columns(images, step)
        if isinstance(images, (list, tuple)):
            mixtures = self.forward(*images, step=step)
            form = getattr(images, "_make", type(images))  # the former of a named tuple
            return form(mixtures if isinstance(mixtures, tuple) else (mixtures,))
        mixed = self.mixed(images, labels, masks, step=step)
        if labels is not None and mixed.targets is None:
            then = "Give num_classes=1000, say; or call the mixer on images alone and use its loss()."
            raise ConfigurationError(explain("labels that are indices need num_classes", then=then))
        given = (
            mixed.images,
            *(() if labels is None else (mixed.targets,)),
            *(() if masks is None else (mixed.masks,)),
        )
        return given[0] if len(given) == 1 else given

    def mixed(
        self, images: Tensor, labels: Tensor | None = None, masks: Tensor | None = None, *, step: int | None = None
    ) -> Mixed:
        """Return a mixed batch with all that was drawn. What is given stays as it is.

        Args:
            images: N x channels x space (1 to 3 dimensions), any dtype and device. Where nothing is mixed, the result
                has these very tensors.
            labels: indices (N, any integer dtype), or probabilities (N x classes).
            masks: of the objects, N x channels x space or N x space, any dtype.
            step: number of this batch in the epoch, from 0; None: one more than that of the last call. Without a seed
                it tells no more than whose turn it is in `Alternate(by="batch")`.

        Raises:
            ConfigurationError: a batch that does not fit.
        """
        if torch.compiler.is_compiling():  # NumPy draws, of which a graph would make constants
            eager: Callable[..., Mixed] = torch.compiler.disable(self._drawn_and_mixed)  # type: ignore[no-untyped-call]
            return eager(images, labels, masks, step)
        return self._drawn_and_mixed(images, labels, masks, step)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of the batch that was mixed last; in evaluation mode of a plain one.

        It is the cross-entropy of `mixed_loss`, with `label_smoothing`; with `bce=True` the binary cross-entropy.

        Args:
            logits: N x classes, of the mixed images.
            labels: indices (N) or probabilities (N x classes), of the images before mixing.

        Raises:
            ConfigurationError: no batch was mixed, or one of another size.
        """
        smoothing = self.config.label_smoothing if self.training else 0.0
        loss: Callable[..., Tensor] = functools.partial(cross_entropy, label_smoothing=smoothing)
        if self.config.bce:
            loss, labels = binary_cross_entropy_with_logits, probabilities(labels, logits.shape[1], smoothing)
        if not self.training:
            return loss(logits, labels)
        if self._last is None:
            raise ConfigurationError(
                explain("loss() belongs to a mixed batch", then="Call the mixer on images first.")
            )
        return mixed_loss(logits, labels, self._last, loss)

    def _drawn_and_mixed(
        self, images: Tensor, labels: Tensor | None, masks: Tensor | None, step: int | None
    ) -> Mixed:
        _check(images, labels, masks)
        if self.training:
            turn = self.steps.next(step)
            mixer, size = self.chosen(turn), images.shape[2:]
            off = self.steps.is_over(max(self.off_for_last, mixer.off_for_last)) or not self.mixup_enabled
            mix = identity(mixer.config, len(images)) if off else draw(mixer.config, turn.rng, len(images), size)
            mixed = mixer.applied(mix, images, labels, masks)
        else:
            mixed = unmixed(images, targets_of(labels, self.config.num_classes), masks)
        self._last = Pairs(mixed.lam, mixed.partner)
        return mixed

    def _columns(self, batch: Mapping[str, Any], step: int | None) -> dict[str, Any]:
        if missing := {"image", "label"} - set(batch):
            what = f"a batch has no {' and no '.join(sorted(missing))}"
            then = "Call the mixer on its columns: mix(images, labels)."
            raise ConfigurationError(explain(what, found=sorted(batch), then=then))
        names = [name for name in ("image", "label", "mask") if name in batch]
        mixtures = self.forward(*(batch[name] for name in names), step=step)
        return {**batch, **dict(zip(names, mixtures, strict=True))}


def _check(images: Any, labels: Any, masks: Any) -> None:
    """Raise ConfigurationError unless images, labels and masks are tensors of one batch."""
    for name, tensor in (("images", images), ("labels", labels), ("masks", masks)):
        if not isinstance(tensor, Tensor) and not (tensor is None and tensor is not images):
            found = type(tensor).__name__
            raise ConfigurationError(explain(f"{name} are no batch", found=found, allowed="a tensor"))
    if images.ndim < 2:
        found, allowed = f"shape {tuple(images.shape)}", "N x channels x space"
        raise ConfigurationError(explain("images are no batch", found=found, allowed=allowed))
    if labels is not None and labels.shape[:1] != images.shape[:1]:
        found = f"{tuple(labels.shape)} and {tuple(images.shape)}"
        raise ConfigurationError(explain("labels and images are of different batches", found=found))
    if masks is not None and masks.shape not in (
        (len(images), *masks.shape[1:2], *images.shape[2:]),
        (len(images), *images.shape[2:]),
    ):
        found = f"{tuple(masks.shape)} and {tuple(images.shape)}"
        allowed = "masks of N x channels x space, or N x space"
        raise ConfigurationError(explain("masks and images differ in shape", found=found, allowed=allowed))
