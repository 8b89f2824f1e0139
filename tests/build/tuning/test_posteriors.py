import logging
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from fornet_hf.errors import NotFoundError
from producers.devices.placement import Placement
from producers.diffusion.model import load
from producers.pairs.reading import read_pairs
from producers.tuning import posteriors as module
from producers.tuning.posteriors import Posteriors, encode, size_of


@pytest.fixture(scope="module")
def model(weights):
    return load(Placement(), str(weights))


@pytest.fixture(scope="module")
def pairs(drawn):
    return read_pairs(*drawn)


@pytest.fixture(scope="module")
def encoded(pairs, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("posteriors")
    list(encode(pairs, range(6), folder, model, 64))
    return Posteriors.of(folder)


class Fixed:
    """A generator that gives what it is told."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def integers(self, high):
        return min(self.numbers.pop(0), high - 1)


@pytest.mark.parametrize(
    ("size", "scaled"),
    [
        ((90, 70), (80, 64)),
        ((64, 64), (64, 64)),
        ((20, 10), (128, 64)),
        ((500, 333), (96, 64)),
        ((500, 1), (256, 64)),
    ],
)
def test_the_shorter_side_is_that_of_the_training_and_both_are_whole_cells(size, scaled):
    assert size_of(64, *size) == scaled


def test_what_cannot_be_used_is_left_out_and_named(drawn, model, tmp_path, caplog):
    images, masks = shutil.copytree(drawn[0], tmp_path / "images"), drawn[1]
    empty = tmp_path / "masks"
    empty.mkdir()
    for path in masks.iterdir():
        mask = np.asarray(Image.open(path))
        Image.fromarray(mask & (path.stem != "1")).save(empty / path.name)
    pairs = read_pairs(images, empty)
    gone = pairs.places[pairs.keys.index("2")]
    gone.unlink()
    with caplog.at_level(logging.WARNING):
        assert list(encode(pairs, range(6), tmp_path / "posteriors", model, 64)) == [6]
    assert len(Posteriors.of(tmp_path / "posteriors")) == 3
    assert "1: its mask is empty" in caplog.text
    assert f"an image is gone; found {gone}" in caplog.text
    assert "left out: 5" in caplog.text


def test_a_crop_is_the_posterior_of_the_image_in_units_of_latents(encoded, pairs, model):
    raster, mask = pairs.read(1).at()  # 64 x 64, so that there is one crop
    pixels = torch.tensor(raster).permute(2, 0, 1)[None].float() / 127.5 - 1
    for flipped in range(2):
        crop = encoded.crop(1, 8, Fixed(flipped, 0, 0))
        with torch.no_grad():
            posterior = model.vae.encode(pixels.flip(-1) if flipped else pixels).latent_dist
        np.testing.assert_allclose(crop.mean, posterior.mean[0].numpy() * 0.18215, atol=1e-3, rtol=1e-3)
        np.testing.assert_allclose(crop.deviation, posterior.std[0].numpy() * 0.18215, atol=1e-3, rtol=1e-3)
        cells = mask.reshape(8, 8, 8, 8).any((1, 3))
        assert np.array_equal(crop.objects, cells[:, ::-1] if flipped else cells)


def test_crops_reach_all_parts_of_an_image(encoded):
    whole = encoded.crop(0, 8, Fixed(0, 0, 0)), encoded.crop(0, 8, Fixed(0, 9, 9))
    assert not np.array_equal(whole[0].mean, whole[1].mean)  # 64 x 80
    np.testing.assert_array_equal(whole[0].mean[:, :, 2:], whole[1].mean[:, :, :-2])


def test_processes_share_the_files_and_those_that_are_there_stay(pairs, model, encoded, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PER_FILE", 2)
    for part in range(2):
        assert sum(encode(pairs, range(6), tmp_path, model, 64, part=(part, 2), batch_size=1)) == (4, 2)[part]
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    list(encode(pairs, range(6), tmp_path, model, 64))
    assert times == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = Posteriors.of(tmp_path)
    assert len(again) == len(encoded) == 5
    for index in range(5):
        one, other = (each.crop(index, 8, Fixed(1, 0, 0)) for each in (again, encoded))
        np.testing.assert_allclose(one.mean, other.mean, atol=2e-3)


def test_a_folder_without_images_is_said(tmp_path):
    with pytest.raises(NotFoundError, match="no image can be used"):
        Posteriors.of(tmp_path)
