"""Images as classifiers see them: the bytes of timm, torchvision and transformers, and the part that is seen."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.models.preprocessing import Preprocessing, share

SHAPES = [
    (500, 375),
    (375, 500),
    (64, 64),
    (33, 200),
    (301, 33),
    (17, 19),
    (224, 500),
    (225, 224),
    (257, 256),
    (1, 9),
]
SETTINGS = [  # of timm, torchvision and volo (whose border is black)
    (224, 0.875, False, "bicubic"),
    (224, 0.9, False, "bicubic"),
    (288, 0.95, False, "bilinear"),
    (240, 0.888, False, "bicubic"),
    (33, 0.875, True, "bicubic"),
    (384, 1.0, True, "lanczos"),
    (448, 1.15, False, "bicubic"),
    (47, 1.15, False, "nearest"),
]


def noise(size, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_images_are_timms_byte_for_byte(setting):
    create = pytest.importorskip("timm.data", exc_type=ImportError).create_transform
    size, crop, squash, interpolation = setting
    ours = Preprocessing(size=size, crop=crop, squash=squash, interpolation=interpolation)
    theirs = create(
        (3, size, size),
        crop_pct=crop,
        crop_mode="squash" if squash else None,
        interpolation=interpolation,
        normalize=False,
    )
    for shape in SHAPES:
        image = noise(shape)
        assert np.array_equal(ours.prepared(image), theirs(image).numpy()), shape


@pytest.mark.parametrize(("size", "edge"), [(224, 256), (224, 232), (300, 320), (384, 384), (7, 25)])
def test_images_are_torchvisions_byte_for_byte(size, edge):
    pytest.importorskip("torchvision", exc_type=ImportError)
    from torchvision.transforms._presets import ImageClassification

    theirs = ImageClassification(crop_size=size, resize_size=edge, mean=(0.0,) * 3, std=(1.0,) * 3)
    ours = Preprocessing(size=size, crop=share(size, edge), interpolation="bilinear")
    for shape in SHAPES:
        image = noise(shape)
        assert np.array_equal(ours.prepared(image), theirs(image).mul(255).round().byte().numpy()), shape


@given(st.integers(1, 2000), st.integers(1, 2000))
@example(7, 25)
def test_a_share_gives_back_the_resized_side(size, edge):
    assert math.floor(size / share(size, edge)) == edge


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(SETTINGS))
def test_what_is_seen_lies_inside_of_the_image(width, height, setting):
    size, crop, squash, _ = setting
    left, top, right, bottom = Preprocessing(size=size, crop=crop, squash=squash).box((width, height))
    assert 0 <= left < right <= width + 1e-6
    assert 0 <= top < bottom <= height + 1e-6


@pytest.mark.parametrize("shape", [(500, 375), (375, 500), (64, 64), (301, 133)])
@pytest.mark.parametrize("squash", [False, True])
def test_what_is_seen_is_what_the_image_has_there(shape, squash):
    preprocessing = Preprocessing(size=50, squash=squash, interpolation="bilinear")
    across, down = np.meshgrid(np.linspace(0, 255, shape[0]), np.linspace(0, 255, shape[1]))
    image = Image.fromarray(np.stack([across, down, across], -1).astype(np.uint8))
    seen = preprocessing.prepared(image).astype(float)
    again = image.resize((50, 50), Image.Resampling.BILINEAR, box=preprocessing.box(shape))
    assert np.abs(seen - np.asarray(again).transpose(2, 0, 1)).max() <= 4  # the shape is kept to a pixel


def test_a_border_is_not_of_the_image():
    bordered = Preprocessing(size=115, crop=1.15)  # of 100 pixels
    assert bordered.box((50, 50)) == (0, 0, 50, 50)
    assert bordered.box((50, 80)) == (0, 11, 50, 68.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "size"),
        ({"size": (32, 32)}, "size"),
        ({"size": 32.0}, "size"),
        ({"crop": 0}, "crop"),
        ({"crop": "center"}, "crop"),
        ({"interpolation": "cubic"}, "cubic.*allowed: nearest"),
        ({"mean": (123.7, 116.3, 103.5)}, "mean.*allowed: three numbers from 0 to 1"),
        ({"mean": 0.5}, "mean"),
        ({"mean": (0.5,)}, "mean"),
        ({"std": (0.2, 0.2, 0)}, "std.*allowed: three numbers above 0"),
    ],
)
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        Preprocessing(**settings)


def test_arrays_and_whole_numbers_are_plain_numbers():
    given = Preprocessing(size=np.int64(32), crop=np.float64(0.5), mean=np.zeros(3), std=[1, 1, 1])
    assert given == Preprocessing(size=32, crop=0.5, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    assert hash(given)
