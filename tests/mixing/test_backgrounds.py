"""Backgrounds are mixed, and nothing else: properties of each pixel, whatever the batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from fornet_hf.errors import ConfigurationError  # noqa: E402
from fornet_hf.mixing import Alternate, BackgroundMix, FMix, FMixConfig, Mix  # noqa: E402
from fornet_hf.mixing.methods import BackgroundMixConfig, MixConfig  # noqa: E402
from tests.operations import Operations  # noqa: E402


def batch(count=4, height=24, width=17, dtype=torch.float32, seed=0):
    """Return images, labels, and soft masks of a rectangle each; the last image has no object."""
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 3, height, width), generator=draw).to(dtype)
    masks = torch.zeros(count, 1, height, width, dtype=torch.uint8)
    for mask in masks[:-1]:
        top, left = (int(torch.randint(0, side - 3, (), generator=draw)) for side in (height, width))
        mask[:, top : top + 9, left : left + 6] = 255
        mask[:, top : top + 1] //= 100  # a soft edge
    return images, torch.arange(count) % 3, masks


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 5),
    max_soft=st.sampled_from([0, 0.1, 0.5]),
    each=st.sampled_from(["batch", "image"]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.uint8]),
)
def test_objects_stay_whole_and_no_other_comes_in(seed, count, max_soft, each, dtype):
    images, labels, masks = batch(count, dtype=dtype, seed=seed)
    given_ = [tensor.clone() for tensor in (images, labels, masks)]
    mixed = BackgroundMix(num_classes=3, max_soft=max_soft, each=each, seed=seed).mixed(images, labels, masks)
    others = masks[mixed.partner]
    kept = ((masks > 0) | (others > 0)).expand_as(images)
    assert torch.equal(mixed.images[kept], images[kept])
    assert torch.equal(mixed.targets, torch.nn.functional.one_hot(labels, 3).float())
    assert torch.equal(mixed.masks, masks)
    assert mixed.lam.tolist() == [1.0] * count
    assert all(torch.equal(*pair) for pair in zip((images, labels, masks), given_, strict=True))
    low, high = torch.minimum(images, images[mixed.partner]), torch.maximum(images, images[mixed.partner])
    assert bool(((low <= mixed.images) & (mixed.images <= high)).all())
    if not max_soft:
        assert torch.equal(mixed.images, torch.where(mixed.weights == 1, images, images[mixed.partner]))


def test_the_other_background_does_come_in():
    images, labels, masks = batch()
    mix = Mix(method="background", partner=(1, 0, 3, 2), lam=(0.0,), key=5)
    mixed = BackgroundMix(num_classes=3).applied(mix, images, labels, masks)
    free = (masks == 0).repeat(1, 3, 1, 1)
    rows, columns = (masks[1] > 0).any(2).nonzero()[:, 1], (masks[1] > 0).any(1).nonzero()[:, 1]
    free[0, :, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = False
    assert torch.equal(mixed.images[0][free[0]], images[1][free[0]])
    assert free[0].float().mean() > 0.5


def test_fmix_would_mix_the_objects():
    """The test above can fail."""
    images, labels, masks = batch()
    mixed = FMix(num_classes=3, seed=1).mixed(images, labels, masks)
    kept = (masks > 0).expand_as(images)
    assert not torch.equal(mixed.images[kept], images[kept])


@pytest.mark.parametrize("each", ["batch", "image"])
def test_the_number_of_operations_does_not_depend_on_the_batch(each):
    counted = []
    for count in (8, 256):
        images_labels_masks = batch(count)
        with Operations() as operations:
            BackgroundMix(each=each, num_classes=3, seed=0)(*images_labels_masks)
        counted.append(operations.names)
    assert counted[0] == counted[1]
    assert not [name for name in counted[0] if "scatter_add" in name or "index_add" in name or "index_put" in name]


def test_labels_are_handed_through_without_num_classes():
    images, labels, masks = batch()
    mix = BackgroundMix(seed=0)
    assert mix(images, labels, masks)[1] is labels
    assert mix.eval()(images, labels, masks)[1] is labels
    soft = torch.rand(4, 3)
    assert torch.equal(BackgroundMix(seed=0)(images, soft, masks)[1], soft)


def test_it_is_one_of_several():
    images, labels, masks = batch()
    mix = Alternate([FMix(num_classes=3), BackgroundMix(num_classes=3)], by="batch", seed=0)
    own = torch.nn.functional.one_hot(labels, 3).float()
    assert [torch.equal(mix(images, labels, masks)[1], own) for _ in range(4)] == [False, True, False, True]


@pytest.mark.parametrize("masks", [None, torch.zeros(4, 2, 24, 17)])
def test_masks_are_needed(masks):
    images, labels, _ = batch()
    with pytest.raises(ConfigurationError, match="BackgroundMix needs masks"):
        BackgroundMix(num_classes=3, seed=0)(images, labels, masks)


def test_masks_may_come_without_channels():
    images, labels, masks = batch()
    mixed, _, same = BackgroundMix(num_classes=3, seed=0)(images, labels, masks[:, 0])
    assert torch.equal(mixed, BackgroundMix(num_classes=3, seed=0)(images, labels, masks)[0])
    assert torch.equal(same, masks[:, 0])


def test_its_configuration_is_its_own():
    config = BackgroundMixConfig(max_soft=0.2)
    assert MixConfig.from_json(config.to_json()) == config
    with pytest.raises(ConfigurationError, match="labels is not allowed"):
        BackgroundMixConfig(labels="visible")
    for mixer, other in ((FMix, config), (BackgroundMix, FMixConfig())):
        with pytest.raises(ConfigurationError, match="config is not allowed"):
            mixer(config=other)
