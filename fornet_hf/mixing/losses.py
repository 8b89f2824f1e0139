"""Loss and accuracy of a mixed batch, from the labels of its images."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.applying import Mixed, Pairs


def mixed_loss(
    logits: Tensor,
    labels: Tensor,
    mixed: Mixed | Pairs,
    loss: Callable[..., Tensor] = functional.cross_entropy,
) -> Tensor:
    """Return the mean of `lam * loss(logits, labels) + (1 - lam) * loss(logits, labels[partner])`.

    With cross-entropy it equals `cross_entropy(logits, mixed.targets)`.

    Args:
        logits: N x classes, or whatever `loss` takes.
        labels: N, of the images before mixing; or whatever `loss` takes.
        mixed: the mixed batch.
        loss: called with `reduction="none"`; of several values an image the mean counts.

    Raises:
        ConfigurationError: the labels are not those of the mixed batch.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import MixUp, mixed_loss
        >>> images, labels = torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 2, 1])
        >>> mixed = MixUp(num_classes=3, seed=0).mixed(images, labels)
        >>> logits = mixed.images.mean((2, 3))
        >>> soft = torch.nn.functional.cross_entropy(logits, mixed.targets)
        >>> torch.allclose(mixed_loss(logits, labels, mixed), soft)
        True
    """
    _check(labels, mixed)

    def losses(wanted: Tensor) -> Tensor:
        return loss(logits, wanted, reduction="none").reshape(len(wanted), -1).mean(1)

    return (mixed.lam * losses(labels) + (1.0 - mixed.lam) * losses(labels[mixed.partner])).mean()


def mixed_accuracy(logits: Tensor, labels: Tensor, mixed: Mixed | Pairs) -> Tensor:
    """Return the share of right answers, 0 to 1, in which both labels of an image count with their share.

    The most that a classifier can reach is the mean of the larger share, not 1.

    Args:
        logits: N x classes.
        labels: indices, N, of the images before mixing.
        mixed: the mixed batch.

    Raises:
        ConfigurationError: the labels are not those of the mixed batch.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import MixUp, mixed_accuracy
        >>> labels = torch.tensor([0, 1])
        >>> mixed = MixUp(num_classes=2, seed=0).mixed(torch.rand(2, 3, 8, 8), labels)
        >>> bool(mixed_accuracy(mixed.targets, labels, mixed) >= 0.5)
        True
    """
    _check(labels, mixed)
    answers = logits.argmax(1)
    right, other = (answers == labels).float(), (answers == labels[mixed.partner]).float()
    return (mixed.lam * right + (1.0 - mixed.lam) * other).mean()


def _check(labels: Tensor, mixed: Mixed | Pairs) -> None:
    if len(labels) != len(mixed.lam):
        found = f"{len(labels)} labels and a mixed batch of {len(mixed.lam)}"
        raise ConfigurationError(explain("the labels are not those of the mixed batch", found=found))
