"""The images of the demo."""

import json

import numpy as np
from PIL import Image

from demo_pictures import PHOTOS, _cut, main
from fornet_hf.classes import wnid_index
from fornet_hf.publish.kinds.images import is_of_imagenet


def test_the_folder_is_laid_out_like_imagenet_and_every_image_has_boxes(tmp_path, capsys):
    assert main([str(tmp_path / "demo")]) == 0
    files = sorted((tmp_path / "demo").glob("*/*/*.JPEG"))
    boxes = json.loads((tmp_path / "demo" / "boxes.json").read_text())
    assert sorted(path.stem for path in files) == sorted(boxes)
    assert len([path for path in files if path.parts[-3] == "train"]) >= 20
    assert {path.parts[-2] for path in files} <= wnid_index().keys()
    assert "35 images" in capsys.readouterr().out
    with Image.open(files[0]) as image:
        assert max(image.size) == 500


def test_names_of_their_own_are_none_of_imagenet_s(tmp_path):
    assert main([str(tmp_path), "--own-names"]) == 0
    files = sorted(tmp_path.glob("*/*/*.JPEG"))
    assert {path.parts[-2] for path in files} == {"cup", "daisy", "palace", "projectile", "tabby"}
    assert {path.stem for path in files} == set(json.loads((tmp_path / "boxes.json").read_text()))
    assert len(files) == 35
    assert not [path for path in files if is_of_imagenet(str(path.relative_to(tmp_path)))]


def test_images_of_a_class_differ():
    for photo in PHOTOS:
        crops = photo.train + photo.validation
        assert len(set(crops)) == len(crops)


def test_boxes_follow_the_crop_and_the_mirror():
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[20:60, 40:80] = 255
    for mirrored in (False, True):
        image, ((x0, y0, x1, y1),) = _cut(
            Image.fromarray(pixels), (20, 10, 120, 90), [(40, 20, 80, 60)], mirrored=mirrored
        )
        width, height = image.size
        left, top, right, bottom = (round(v) for v in (x0 * width, y0 * height, x1 * width, y1 * height))
        bright = np.asarray(image)[..., 0] > 127
        assert bright[top:bottom, left:right].mean() > 0.98
        assert bright.sum() / ((right - left) * (bottom - top)) < 1.02
