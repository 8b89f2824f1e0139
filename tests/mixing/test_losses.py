"""Losses and accuracy of pairs of labels against those of soft targets."""

from __future__ import annotations

import pytest

from fornet_hf.errors import ConfigurationError

torch = pytest.importorskip("torch")
from torch.nn import functional  # noqa: E402

from fornet_hf.mixing import CutMix, FMix, MixUp, mixed_accuracy, mixed_loss  # noqa: E402

COUNT, CLASSES = 8, 5
SEEDED = torch.Generator().manual_seed(0)
IMAGES, LABELS = torch.rand(COUNT, 3, 16, 16, generator=SEEDED), torch.arange(COUNT) % CLASSES
LOGITS = torch.randn(COUNT, CLASSES, generator=SEEDED)


@pytest.mark.parametrize("each", ["batch", "image"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", [FMix, CutMix, MixUp])
def test_the_loss_of_pairs_is_that_of_soft_targets(kind, each, smoothing):
    mix = kind(each=each, num_classes=CLASSES, label_smoothing=smoothing)
    mixed = mix.mixed(IMAGES, LABELS)
    soft = functional.cross_entropy(LOGITS, mixed.targets)
    torch.testing.assert_close(mix.loss(LOGITS, LABELS), soft)
    if not smoothing:
        torch.testing.assert_close(mixed_loss(LOGITS, LABELS, mixed), soft)


def test_it_is_the_weighted_sum_of_two_losses():
    mixed = FMix(each="image").mixed(IMAGES)
    own = functional.cross_entropy(LOGITS, LABELS, reduction="none")
    other = functional.cross_entropy(LOGITS, LABELS[mixed.partner], reduction="none")
    expected = (mixed.lam * own + (1 - mixed.lam) * other).mean()
    torch.testing.assert_close(mixed_loss(LOGITS, LABELS, mixed), expected)


def test_the_reformulated_loss_has_one_label():
    mix = FMix(reformulate=True)
    mix(IMAGES)
    torch.testing.assert_close(mix.loss(LOGITS, LABELS), functional.cross_entropy(LOGITS, LABELS))


def test_any_loss_without_reduction():
    mixed = MixUp(each="image").mixed(IMAGES)
    values = torch.rand(COUNT, 2, 3)
    lam = mixed.lam[:, None, None]
    answers = torch.rand(COUNT, 2, 3)
    squares = lam * (answers - values) ** 2 + (1 - lam) * (answers - values[mixed.partner]) ** 2
    found = mixed_loss(answers, values, mixed, functional.mse_loss)
    torch.testing.assert_close(found, squares.mean())


def test_under_autocast_the_loss_is_a_float():
    mix = MixUp()
    mix(IMAGES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = mix.loss(torch.nn.functional.linear(LOGITS, torch.eye(CLASSES)), LABELS)
    assert loss.dtype == torch.float32


def test_a_value_for_each_image_makes_batches_more_alike():
    """The loss between batches varies less, as lambda does not move all of its images at once."""
    logits = functional.one_hot(LABELS, CLASSES) * 4.0

    def deviation(each):
        mix = MixUp(each=each, seed=0)
        return torch.stack([mixed_loss(logits, LABELS, mix.mixed(IMAGES[..., :1])) for _ in range(100)]).std()

    assert deviation("image") < 0.6 * deviation("batch")


def test_accuracy_counts_both_labels():
    mixed = MixUp(each="image", seed=1).mixed(IMAGES)
    own, other = (functional.one_hot(labels, CLASSES) for labels in (LABELS, LABELS[mixed.partner]))
    twins = LABELS[mixed.partner] == LABELS
    torch.testing.assert_close(mixed_accuracy(own, LABELS, mixed), torch.where(twins, 1.0, mixed.lam).mean())
    torch.testing.assert_close(mixed_accuracy(other, LABELS, mixed), torch.where(twins, 1.0, 1 - mixed.lam).mean())
    neither = functional.one_hot((LABELS + 1) % CLASSES, CLASSES)
    hit = LABELS[mixed.partner] == (LABELS + 1) % CLASSES
    torch.testing.assert_close(mixed_accuracy(neither, LABELS, mixed), ((1 - mixed.lam) * hit).mean())


@pytest.mark.parametrize("function", [mixed_loss, mixed_accuracy])
def test_labels_of_another_batch(function):
    with pytest.raises(ConfigurationError, match="found 2 labels and a mixed batch of 8"):
        function(LOGITS[:2], LABELS[:2], MixUp().mixed(IMAGES))
