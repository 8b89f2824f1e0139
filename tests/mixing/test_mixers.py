"""Pixels, masks and targets of FMix, CutMix and MixUp on batches of all kinds."""

from __future__ import annotations

import pytest

from fornet_hf.errors import ConfigurationError

torch = pytest.importorskip("torch")

from fornet_hf.mixing import CutMix, FMix, MixUp  # noqa: E402
from tests.mixing.batches import CLASSES, a_mix, all_mixers, all_ways, batch  # noqa: E402


@all_mixers
@all_ways
@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_pixels_and_targets_are_the_weighted_means_of_the_pairs(kind, each, count):
    images, labels = batch(count)
    mixed = a_mix(kind, each=each).mixed(images, labels)
    assert mixed.weights.shape[0] == (1 if each == "batch" else count)
    expected = mixed.weights * images + (1 - mixed.weights) * images[mixed.partner]
    torch.testing.assert_close(mixed.images, expected)
    hard = torch.eye(CLASSES)[labels]
    lam = mixed.lam[:, None]
    torch.testing.assert_close(mixed.targets, lam * hard + (1 - lam) * hard[mixed.partner])
    torch.testing.assert_close(mixed.targets.sum(1), torch.ones(count))
    assert sorted(mixed.partner.tolist()) == list(range(count))


@all_mixers
def test_a_value_for_each_image_and_one_for_the_batch(kind):
    images, labels = batch(6)
    assert len(set(a_mix(kind, each="image").mixed(images, labels).lam.tolist())) == 6
    assert len(set(a_mix(kind, each="batch").mixed(images, labels).lam.tolist())) == 1


@all_mixers
@all_ways
def test_what_is_given_stays_as_it_is(kind, each):
    images, labels = batch()
    masks = (images[:, :1] > 0.5).to(torch.uint8) * 255
    given = [images, labels, masks]
    before = [tensor.clone() for tensor in given]
    mixed = a_mix(kind, each=each).mixed(*given)
    assert all(torch.equal(tensor, old) for tensor, old in zip(given, before, strict=True))
    assert not torch.equal(mixed.images, images)


@all_mixers
@all_ways
def test_constant_images_stay_between_their_two_values(kind, each):
    images = torch.tensor([2.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 32, 32)
    mixtures = (a_mix(kind, each=each, seed=seed).mixed(images) for seed in range(20))
    mixed = next(mixed for mixed in mixtures if mixed.partner.tolist() == [1, 0])
    share = (mixed.images - images.flip(0)).mean((1, 2, 3)) / (images - images.flip(0)).mean((1, 2, 3))
    assert mixed.images.min() >= 1
    assert mixed.images.max() <= 2
    torch.testing.assert_close(share, mixed.lam, atol=1 / 1024, rtol=0)


@all_mixers
@pytest.mark.parametrize("lam", [0.0, 1.0])
def test_the_ends_of_lambda_are_the_two_images(kind, lam):
    from fornet_hf.mixing import Mix

    images, labels = batch(4, (8, 8))
    box = ((0, 8), (0, 8)) if lam == 0 else ((3, 3), (2, 2))
    boxes = (box,) if kind is CutMix else ()
    drawn = Mix(method=kind.kind.method, partner=(1, 2, 3, 0), lam=(lam,), boxes=boxes)
    mixed = a_mix(kind).applied(drawn, images, labels)
    other = [1, 2, 3, 0] if lam == 0 else [0, 1, 2, 3]
    assert torch.equal(mixed.images, images[other])
    assert torch.equal(mixed.targets, torch.eye(CLASSES)[labels[other]])


@all_mixers
def test_a_partner_that_is_the_image_itself_changes_nothing(kind):
    images, labels = batch(1)
    got, targets = a_mix(kind, label_smoothing=0.1)(images, labels)
    torch.testing.assert_close(got, images)
    torch.testing.assert_close(targets.max(), torch.tensor(0.9 + 0.1 / CLASSES))


def test_smoothing_of_a_thousand_classes():
    _, targets = MixUp(num_classes=1000, label_smoothing=0.1, p=0.0)(*batch())
    assert sorted(set(targets.flatten().tolist())) == pytest.approx([0.0001, 0.9001])


@all_mixers
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_integer_dtype(kind, dtype):
    images, labels = batch()
    expected = a_mix(kind)(images, labels)[1]
    assert torch.equal(a_mix(kind)(images, labels.to(dtype))[1], expected)
    assert expected.dtype == torch.float32


@all_mixers
def test_labels_that_are_probabilities_already(kind):
    images, labels = batch()
    soft = torch.eye(CLASSES)[labels]
    expected = a_mix(kind, label_smoothing=0.1)(images, labels)[1]
    assert torch.equal(a_mix(kind, label_smoothing=0.1, num_classes=None)(images, soft)[1], expected)
    assert a_mix(kind)(images, soft.to(torch.bfloat16))[1].dtype == torch.float32


@all_mixers
@all_ways
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.uint8])
def test_images_of_other_dtypes(kind, each, dtype):
    images, labels = batch()
    images = (images * 255).round() if dtype == torch.uint8 else images
    exact = a_mix(kind, each=each).mixed(images.to(dtype).double(), labels)
    mixed = a_mix(kind, each=each).mixed(images.to(dtype), labels)
    assert mixed.images.dtype == dtype
    step = 0.5 if dtype == torch.uint8 else torch.finfo(dtype).eps
    assert (mixed.images.double() - exact.images).abs().max() <= step + 1e-6
    assert torch.equal(mixed.targets, exact.targets)


@all_mixers
def test_complex_spectra_of_sound(kind):
    images = torch.complex(batch(size=(50,))[0], batch(size=(50,))[0].flip(0))
    mixed = a_mix(kind).mixed(images)
    torch.testing.assert_close(mixed.images, mixed.weights * images + (1 - mixed.weights) * images[mixed.partner])


@all_mixers
@all_ways
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_memory_format_stays(kind, each, layout):
    images = batch()[0].contiguous(memory_format=layout)
    assert a_mix(kind, each=each)(images).is_contiguous(memory_format=layout)


@all_mixers
@all_ways
@pytest.mark.parametrize("size", [(50,), (9, 7), (4, 5, 6)])
def test_signals_images_and_volumes(kind, each, size):
    images, labels = batch(5, size, channels=2)
    mixed = a_mix(kind, each=each).mixed(images, labels)
    assert mixed.images.shape == images.shape
    assert mixed.weights.mean(tuple(range(1, images.ndim))) == pytest.approx(
        mixed.lam[: len(mixed.weights)].numpy(), abs=1 / torch.Size(size).numel()
    )


@all_mixers
@pytest.mark.parametrize("max_soft", [0.0, 0.3])
def test_masks_are_mixed_as_their_images_are(kind, max_soft):
    images = batch()[0]
    soft = {"max_soft": max_soft} if kind is FMix else {}
    mixed = a_mix(kind, each="image", **soft).mixed(images, masks=images[:, :1])
    assert torch.equal(mixed.masks, mixed.images[:, :1])
    flat = a_mix(kind, each="image", **soft).mixed(images, masks=images[:, 0])
    assert torch.equal(flat.masks, mixed.images[:, 0])


def test_masks_of_bytes_are_averaged_to_bytes():
    images, masks = batch()[0], torch.tensor([0, 255] * 3, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 1, 16, 12)
    mixed = a_mix(MixUp).mixed(images, masks=masks)
    exact = mixed.weights * masks + (1 - mixed.weights) * masks[mixed.partner]
    assert mixed.masks.dtype == torch.uint8
    assert torch.equal(mixed.masks, exact.round().to(torch.uint8))


def test_labels_by_visible_area():
    images, labels = batch(2, (8, 8))
    masks = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    masks[0, :, :, :2], masks[1, :, :4] = 255, 255
    mixed = a_mix(CutMix, labels="visible", each="image", seed=5).mixed(images, labels, masks)
    seen = (mixed.weights * masks).sum((1, 2, 3))
    other = ((1 - mixed.weights) * masks[mixed.partner]).sum((1, 2, 3))
    torch.testing.assert_close(mixed.lam, seen / (seen + other))
    torch.testing.assert_close(mixed.targets[range(2), labels], mixed.lam)


def test_labels_by_visible_area_need_masks():
    with pytest.raises(ConfigurationError, match="need masks"):
        a_mix(CutMix, labels="visible")(*batch())


@all_mixers
def test_the_label_of_the_image_alone(kind):
    images, labels = batch()
    mixed = a_mix(kind, reformulate=True).mixed(images, labels)
    assert torch.equal(mixed.lam, torch.ones(6))
    assert torch.equal(mixed.targets, torch.eye(CLASSES)[labels])
    assert not torch.equal(mixed.images, images)
