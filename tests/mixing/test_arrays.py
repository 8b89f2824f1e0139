"""Mixing in NumPy does what the torch modules do."""

from __future__ import annotations

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from fornet_hf.mixing import draw, mixed_arrays
from fornet_hf.mixing.methods import METHODS, BackgroundMixConfig, CutMixConfig, FMixConfig, MixUpConfig

SIZE = (20, 15)


def batch(dtype=np.uint8):
    rng = np.random.default_rng(3)
    masks = np.zeros((5, *SIZE), np.uint8)
    for number, mask in enumerate(masks[:4]):
        mask[2 : 6 + 3 * number, number : number + 7] = 200
    return rng.integers(0, 256, (5, *SIZE, 3)).astype(dtype), masks


@pytest.mark.parametrize("each", ["batch", "image"])
@pytest.mark.parametrize("labels", ["area", "visible"])
@pytest.mark.parametrize("method", METHODS)
def test_pixels_and_shares_are_those_of_the_torch_modules(method, labels, each, monkeypatch):
    torch = pytest.importorskip("torch")
    from fornet_hf import mixing
    from fornet_hf.mixing import applying

    if (method, labels) == ("background", "visible"):
        pytest.skip("has one label")
    images, masks = batch()
    config = METHODS[method](
        labels=labels, each=each, num_classes=5, **({"max_soft": 0.2} if "m" not in method else {})
    )
    mix = draw(config, np.random.default_rng(1), len(images), SIZE)
    ours = mixed_arrays(mix, config, images, masks)
    made = mixing.arrays.pixel_weights(mix, config, SIZE)[:, 0]
    monkeypatch.setattr(applying, "fmix_masks", lambda *args, **kwargs: torch.from_numpy(made))  # one noise for both
    mixer = {"fmix": mixing.FMix, "cutmix": mixing.CutMix, "mixup": mixing.MixUp, "background": mixing.BackgroundMix}
    theirs = mixer[method](config=config).applied(
        mix, torch.from_numpy(images).permute(0, 3, 1, 2), torch.arange(5), torch.from_numpy(masks)
    )
    assert np.abs(ours.images.astype(int) - theirs.images.permute(0, 2, 3, 1).numpy()).max() <= 1
    assert ours.lam == pytest.approx(theirs.lam.numpy())
    assert (ours.partner == theirs.partner.numpy()).all()
    assert (ours.weights == np.broadcast_to(theirs.weights[:, 0].numpy(), ours.weights.shape)).all()


def test_bytes_are_rounded_and_floats_are_not():
    config = MixUpConfig()
    mix = draw(config, np.random.default_rng(0), 5, SIZE)
    as_bytes, as_floats = (mixed_arrays(mix, config, batch(dtype)[0]).images for dtype in (np.uint8, np.float32))
    assert (as_bytes.dtype, as_floats.dtype) == (np.uint8, np.float32)
    assert np.abs(as_bytes - as_floats).max() == pytest.approx(0.5, abs=0.01)


def test_a_mask_of_fmix_follows_from_the_draw():
    config = FMixConfig(each="image")
    mix = draw(config, np.random.default_rng(0), 5, SIZE)
    one, again = (mixed_arrays(mix, config, batch()[0]) for _ in range(2))
    assert (one.weights == again.weights).all()
    assert np.abs(one.weights.mean((1, 2)) - one.lam).max() <= 1 / (SIZE[0] * SIZE[1])


def test_a_box_is_the_partners():
    config = CutMixConfig()
    mix = draw(config, np.random.default_rng(0), 5, SIZE)
    ((top, bottom), (left, right)), images = mix.boxes[0], batch()[0]
    mixed = mixed_arrays(mix, config, images)
    box = (slice(None), slice(top, bottom), slice(left, right))
    assert (mixed.images[box] == images[mixed.partner][box]).all()
    assert mixed.lam == pytest.approx(1 - (bottom - top) * (right - left) / (SIZE[0] * SIZE[1]))


@pytest.mark.parametrize("config", [FMixConfig(labels="visible"), BackgroundMixConfig()])
def test_masks_are_needed_where_objects_count(config):
    mix = draw(config, np.random.default_rng(0), 5, SIZE)
    with pytest.raises(ConfigurationError, match="needs masks"):
        mixed_arrays(mix, config, batch()[0])


def test_hard_masks_give_the_pixels_of_one_image_to_the_last_bit():
    images = np.random.default_rng(0).random((5, *SIZE, 3), np.float32)
    config = FMixConfig(each="image")
    mixed = mixed_arrays(draw(config, np.random.default_rng(0), 5, SIZE), config, images)
    own = mixed.weights[..., None] == 1
    assert (mixed.images == np.where(own, images, images[mixed.partner])).all()


@pytest.mark.parametrize(
    ("count", "shape", "message"),
    [
        (5, (5, *SIZE, 1), "masks and images differ in shape"),  # on square images they would broadcast
        (5, (5, 20, 20), "masks and images differ in shape"),
        (4, (5, *SIZE), "the draw is not that of these images; found 5 images and a draw for 4"),
        (1, (5, *SIZE), "the draw is not that of these images"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(count, shape, message):
    config = FMixConfig(labels="visible")
    mix = draw(config, np.random.default_rng(0), count, SIZE)
    with pytest.raises(ConfigurationError, match=message):
        mixed_arrays(mix, config, batch()[0], np.ones(shape, np.uint8))
