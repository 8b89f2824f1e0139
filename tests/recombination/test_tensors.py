"""`to_tensor` gives what torchvision's ToTensor gives."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import MissingDependencyError
from fornet_hf.recombination import Recombine, tensors, to_tensor
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
@pytest.mark.parametrize("size", [(224, 224), (1, 1), (7, 33), (1500, 1400)], ids=str)
def test_it_equals_torchvision(size):
    image = noise(*size)
    expected = import_torchvision().transforms.ToTensor()(image)
    found = to_tensor(image)
    assert torch.equal(found, expected)
    assert found.dtype == torch.float32
    assert found.is_contiguous()


def test_the_tensor_has_its_own_memory():
    image = noise(8, 8)
    tensor = to_tensor(image)
    before = tensor.clone()
    image.paste((0, 0, 0), (0, 0, 8, 8))
    assert torch.equal(tensor, before)


def test_other_modes_become_rgb():
    assert to_tensor(Image.new("L", (3, 2), 255)).shape == (3, 2, 3)


def test_it_serves_as_transform(ds):
    images = ds.with_transform(Recombine(ds, seed=2, crop=32, flip=0.5))
    as_tensors = ds.with_transform(Recombine(ds, seed=2, crop=32, flip=0.5, transform=to_tensor))
    for index in range(len(ds)):
        expected = np.moveaxis(np.asarray(images[index]["image"]), 2, 0) / np.float32(255)
        assert np.array_equal(as_tensors[index]["image"].numpy(), expected)


def test_without_torch_the_error_names_it(monkeypatch):
    monkeypatch.setitem(tensors.importlib.sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"torch.*pip install"):
        to_tensor(noise(2, 2))
