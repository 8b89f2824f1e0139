"""The trained segmenter as a step, with a network that is planted: it knows red."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
cv2 = pytest.importorskip("cv2")

from producers.devices.batches import BatchSize  # noqa: E402
from producers.scene import Scene  # noqa: E402
from producers.segment.networks.card import Card, NetworkSpec  # noqa: E402
from producers.segment.unet import TrainedUNet, shape_for  # noqa: E402
from producers.segment.unet_settings import UNetSettings  # noqa: E402


class Red(torch.nn.Module):
    """Gives a high logit where red is much higher than green, and notes the shapes that it sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        assert images.is_contiguous(memory_format=torch.channels_last)
        return 8 * (images[:, :1] - images[:, 1:2] - 0.5)


def step(**settings):
    card = Card(network=NetworkSpec(widths=(4, 8, 16, 32, 64)), side=64)
    return TrainedUNet(network=Red(), card=card, digest="0" * 64, settings=UNetSettings(**settings))


def scene(height, width, *boxes, key="a"):
    """Red boxes on grey."""
    raster = np.full((height, width, 3), 90, np.uint8)
    for x0, y0, x1, y1 in boxes:
        raster[y0:y1, x0:x1] = (250, 30, 30)
    return Scene(key=key, raster=raster, prompts=("a thing.", "a thing, a type of object."))


def truth(one):
    return one.raster[..., 0] > 128


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("size", [(300, 400), (400, 300), (64, 64), (40, 50), (100, 330), (90, 700), (513, 97)])
def test_a_planted_object_is_found_at_its_place_in_images_of_any_shape(size):
    height, width = size
    one = scene(height, width, (width // 5, height // 3, width // 2, height * 3 // 4))
    ((cut,),) = (found.masks for found in step()([one]))
    assert cut.mask.shape == size
    assert iou(cut.mask, truth(one)) > 0.9
    assert cut.prompt == "a thing."
    assert cut.score > 0.9
    assert (cut.soft.dtype, cut.soft.shape) == (np.uint8, shape_for(height, width, 64, 16))


def test_batches_of_equal_shape_give_what_single_images_give():
    scenes = [scene(100 + 10 * (i % 3), 150, (20, 20, 60 + i, 70), key=str(i)) for i in range(9)]
    together, alone = step(), step()
    found = [one.masks[0] for one in together(scenes)]
    for one, cut in zip(scenes, found, strict=True):
        (single,) = alone([one])[0].masks
        assert (single.mask == cut.mask).all()
        assert (single.soft == cut.soft).all()
    assert sorted(together.network.seen) == [(3, 3, 64, 96), (6, 3, 64, 80)]
    few = replace(step(), batch_size=BatchSize(2))
    few(scenes)
    assert max(shape[0] for shape in few.network.seen) == 2


def test_holes_are_filled_and_parts_left_out_as_the_settings_say():
    ring = scene(128, 128, (20, 20, 80, 80), (100, 100, 116, 116))
    ring.raster[40:60, 40:60] = 90
    (plain,) = step(fill=False, close=0)([ring])[0].masks
    (filled,) = step()([ring])[0].masks
    (largest,) = step(largest=True)([ring])[0].masks
    assert not plain.mask[50, 50]
    assert filled.mask[50, 50]
    assert filled.mask[108, 108]
    assert largest.mask[50, 50]
    assert not largest.mask[100:116, 100:116].any()


def test_nothing_and_specks_are_no_object():
    assert step()([scene(128, 128)])[0].masks == ()
    speck = scene(128, 128, (60, 60, 68, 68))
    assert len(step()([speck])[0].masks) == 1
    assert step(least=0.02)([speck])[0].masks == ()


def test_the_threshold_and_the_side_are_the_files_unless_they_are_set():
    one = step(side=128, threshold=0.9)
    one([scene(256, 256, (50, 50, 150, 150))])
    assert one.network.seen == [(1, 3, 128, 128)]
    assert dict(one.identity.settings)["threshold"] == 0.9
    assert dict(step().identity.settings) == {
        "close": 1,
        "fill": True,
        "largest": False,
        "least": 0.0005,
        "side": 64,
        "threshold": 0.5,
    }


@pytest.mark.parametrize(
    ("height", "width", "shape"),
    [
        (375, 500, (128, 176)),
        (500, 375, (176, 128)),
        (128, 128, (128, 128)),
        (10, 1000, (128, 512)),
        (1, 1, (128, 128)),
    ],
)
def test_the_shorter_side_is_that_of_the_training_and_the_longer_one_a_multiple(height, width, shape):
    assert shape_for(height, width, 128, 16) == shape
