"""Samples become files that others read."""

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from fornet_hf.evaluation.masks.predicted import read_predicted
from fornet_hf.format.raster import decode_rgb
from fornet_hf.sources.folder import FolderSource
from producers.layers.written import (
    BACKGROUNDS,
    EMPTY,
    FOREGROUNDS,
    FULL,
    IMAGES,
    MASKS,
    OBJECT,
    SampleFolder,
    write_samples,
)
from tests.build.layers.drawn_samples import drawn_sample

ALL = (IMAGES, MASKS, FOREGROUNDS, BACKGROUNDS)


def numbered(*numbers):
    return [(number, drawn_sample(number)) for number in numbers]


def test_images_and_masks_lie_as_others_read_them(tmp_path):
    write_samples(SampleFolder(tmp_path, "disc"), numbered(0, 1))
    refs = FolderSource(tmp_path / "images").list("train")
    assert [(ref.key, ref.folder_class) for ref in refs] == [("disc_000000", "disc"), ("disc_000001", "disc")]
    masks = read_predicted(tmp_path / "masks")
    assert masks.keys() == ["disc_000000", "disc_000001"]
    assert np.array_equal(masks.read(1).mask, drawn_sample(1).mask)
    assert np.array_equal(decode_rgb(refs[1].path.read_bytes()), drawn_sample(1).image)
    assert {path.name for path in tmp_path.iterdir()} == {"images", "masks"}


def test_layers_compose_to_the_image(tmp_path):
    folder = SampleFolder(tmp_path, "disc", ALL)
    write_samples(folder, numbered(3))
    paths = folder.paths(3)
    front, ground = (np.asarray(Image.open(paths[kind])).astype(float) for kind in (FOREGROUNDS, BACKGROUNDS))
    alpha = front[..., 3:] / 255
    composed = front[..., :3] * alpha + ground * (1 - alpha)
    assert np.abs(composed - np.asarray(Image.open(paths[IMAGES]))).max() <= 1


def test_a_mask_has_the_pixels_that_are_the_object_by_half():
    soft = np.array([[0, 127], [128, 255]], np.uint8)
    assert drawn_sample(0)._replace(soft=soft).mask.tolist() == [[False, False], [True, True]]


def test_kinds_are_counted(tmp_path):
    assert write_samples(SampleFolder(tmp_path, "disc"), numbered(*range(10))) == Counter(
        {OBJECT: 8, EMPTY: 1, FULL: 1}
    )


def test_a_sample_is_there_when_all_its_files_are(tmp_path):
    folder = SampleFolder(tmp_path, "disc", ALL)
    assert not folder.has(5)
    write_samples(folder, numbered(5))
    assert folder.has(5)
    assert SampleFolder(tmp_path, "disc").has(5)
    folder.paths(5)[BACKGROUNDS].unlink()
    assert not folder.has(5)


def test_what_makes_samples_may_fail(tmp_path):
    def failing():
        yield from numbered(0)
        raise MemoryError

    with pytest.raises(MemoryError):
        write_samples(SampleFolder(tmp_path, "disc"), failing())
    assert SampleFolder(tmp_path, "disc").has(0)
