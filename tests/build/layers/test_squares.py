"""Squares of images."""

import io

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.sources import Columns
from producers.layers.squares import SquareStore, make_squares, square_of
from producers.pairs.images import images_of
from producers.training.visits import Visit
from tests.build.distil.drawn import write_drawn


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(("height", "width"), [(32, 96), (96, 32)])
def test_a_square_is_the_centre_of_its_image(height, width):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[(height - 32) // 2 : (height + 32) // 2, (width - 32) // 2 : (width + 32) // 2] = 200
    assert (square_of(png(pixels), 32) == 200).all()
    small = square_of(png(pixels), 16)
    assert small.shape == (16, 16, 3)
    assert (small[2:-2, 2:-2] == 200).all()


def test_an_image_that_is_smaller_is_scaled_up():
    assert square_of(png(np.full((5, 9, 3), 50, np.uint8)), 16).shape == (16, 16, 3)


@pytest.fixture
def store(tmp_path):
    images, _ = write_drawn(tmp_path, 6)
    (images / "train" / "thing" / "0002.jpg").write_bytes(b"no image")
    return make_squares(tmp_path / "squares", {"side": 16}, images_of(images, Columns()), 16)


def test_damaged_images_are_left_out_and_counted(tmp_path, store):
    assert store.index["keys"] == ["0000", "0001", "0003", "0004", "0005"]
    assert store.index["lost"] == {"cannot be used": 1}
    assert "0002: the source image cannot be decoded" in store.said()[1]
    assert SquareStore.opened(tmp_path / "squares", {"side": 16}).index == store.index


def test_a_batch_shows_its_visits_and_mirrors_every_other_one(store):
    visits = [Visit(epoch, sample) for epoch in range(40) for sample in (3, 1)]
    plain, mirrored = store.batch(visits), store.batch(visits, mirror=True, seed=1)
    assert (plain[::2] == store.array(3)).all()
    assert (plain[1::2] == store.array(1)).all()
    turned = (mirrored == plain[:, :, ::-1]).all((1, 2, 3))
    assert ((mirrored == plain).all((1, 2, 3)) | turned).all()
    assert 20 < turned.sum() < 60
    assert (store.batch(visits[7:8], mirror=True, seed=1)[0] == mirrored[7]).all()


def test_too_few_images_are_an_error(tmp_path):
    images, _ = write_drawn(tmp_path, 2)
    (images / "train" / "thing" / "0001.jpg").write_bytes(b"no image")
    message = "too few images can be used; found 1 of 2; allowed: 2 or more. The first that cannot: 0001: the source"
    with pytest.raises(ConfigurationError, match=message):
        make_squares(tmp_path / "squares", {}, images_of(images, Columns()), 16)
