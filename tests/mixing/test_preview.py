"""Sheets and animations of mixed pairs."""

from __future__ import annotations

import datasets
import numpy as np
import pytest

from fornet_hf import Recombine
from fornet_hf.errors import ConfigurationError
from fornet_hf.features import row_features
from fornet_hf.mixing.choosing import chosen
from fornet_hf.mixing.preview import mixed_animation, mixed_sheet
from fornet_hf.preview import CELL
from tests.factory import columns, make_row

pytest.importorskip("skimage")
LINE = CELL[1] + 8  # pixels


@pytest.fixture(scope="module")
def ds():
    rows = [columns(make_row(index)) for index in range(4)]
    return datasets.Dataset.from_list(rows, features=row_features(["tench, Tinca tinca", "goldfish", "tabby"]))


def cells(page, line):
    """The four cells of a line, and its label."""
    shown = np.asarray(page).astype(int)[-24 - LINE * (line + 1) : -24 - LINE * line - 8]
    rights = [page.width - 8 - (CELL[0] + 8) * number for number in range(4)]
    return [shown[:, right - CELL[0] : right] for right in reversed(rights)], shown[:, :150]


def test_a_line_has_two_images_the_mask_and_the_mixture(ds):
    page = mixed_sheet(ds, chosen("cutmix"), indices=[0, 1], crop=150, seed=1)
    (first, second, mask, mixture), label = cells(page, 1)
    recombine = Recombine(ds, crop=150, seed=1, epochs=1, return_fg_masks=True)
    images = [np.asarray(recombine.recombine(row).composed.image).astype(int) for row in ds.select([0, 1])]
    inner = slice(25, 175)
    assert (first[:, inner] == images[0]).all()
    assert (second[:, inner] == images[1]).all()
    own = mask[1:-1, 26:174].mean(2) > 128
    assert 0 < own.mean() < 1
    mixed = np.where(own[..., None], images[0][1:-1, 1:-1], images[1][1:-1, 1:-1])
    assert (mixture[1:-1, 26:174] == mixed).all()
    assert (label < 128).any()


def test_labels_by_visible_area_are_other_labels_of_the_same_mixtures(ds):
    by_area, visible = (
        cells(mixed_sheet(ds, chosen("fmix", labels), indices=[0, 1]), 1) for labels in ("area", "visible")
    )
    assert (by_area[0][3] == visible[0][3]).all()
    assert (by_area[1] != visible[1]).any()
    assert (visible[0][2] == (0, 114, 178)).all(2).any()  # what is seen of the image's object
    assert not (by_area[0][2] == (0, 114, 178)).all(2).any()


def test_a_sheet_has_a_line_for_each_image_and_epoch(ds):
    once, thrice = (mixed_sheet(ds, chosen("background"), epochs=epochs) for epochs in (1, 3))
    assert thrice.height - once.height == 2 * len(ds) * LINE
    assert (cells(thrice, 0)[0][3] != cells(thrice, len(ds))[0][3]).any()  # drawn anew


def test_methods_alternate_and_frames_follow_the_epochs(ds):
    frames = mixed_animation(ds, chosen("alternate"), indices=[0, 1, 2], epochs=3, crop=150)
    assert len({frame.tobytes() for frame in frames}) == 3
    assert len({frame.size for frame in frames}) == 1
    flat = [[np.ptp(cells(frame, line)[0][2][1:-1, 26:174]) == 0 for line in range(3)] for frame in frames]
    assert np.array(flat).sum() == 3  # MixUp's mask is one level


def test_it_can_be_repeated(ds):
    pages = [mixed_sheet(ds, chosen("fmix"), indices=[0], seed=seed).tobytes() for seed in (1, 1, 2)]
    assert pages[0] == pages[1] != pages[2]


def test_parameters_are_checked(ds):
    with pytest.raises(ConfigurationError, match="fg_size_mode"):
        mixed_sheet(ds, chosen("fmix"), fg_size_mode="huge")
