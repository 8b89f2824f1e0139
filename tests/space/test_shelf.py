"""The page shows an object and a background of each class of a release."""

from __future__ import annotations

import shutil

import pytest

from fornet_hf.errors import NotFoundError
from shelf import open_shelf


@pytest.fixture
def opened(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    return open_shelf(demo)


def test_each_class_has_one_object_and_one_background(opened):
    assert list(opened.objects) == list(opened.backgrounds) == ["tabby", "palace", "projectile", "cup", "daisy"]
    assert len(opened.classes) == 1000
    objects, backgrounds = opened.images()
    assert {image.mode for image, _ in objects} == {"RGBA"}
    assert {image.mode for image, _ in backgrounds} == {"RGB"}


def test_a_missing_release_is_told_with_the_command_that_makes_one(tmp_path):
    with pytest.raises(NotFoundError, match=r"no objects to show.*fornet demo --out FOLDER"):
        open_shelf(tmp_path)


def test_missing_images_are_told(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    shutil.copytree(demo / "made", tmp_path / "made")
    with pytest.raises(NotFoundError, match="pictures"):
        open_shelf(tmp_path)
