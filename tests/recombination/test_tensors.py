"""`to_tensor` and `to_uint8` give what torchvision's steps give; `collate` makes batches, as does torch's own."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError, MissingDependencyError
from fornet_hf.recombination import Composition, Recombine, collate, tensors, to_tensor, to_uint8
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
@pytest.mark.parametrize("size", [(224, 224), (1, 1), (7, 33), (1500, 1400)], ids=str)
@pytest.mark.parametrize(("ours", "theirs"), [(to_tensor, "ToTensor"), (to_uint8, "PILToTensor")])
def test_it_equals_torchvision(size, ours, theirs):
    image = noise(*size)
    expected = getattr(import_torchvision().transforms, theirs)()(image)
    found = ours(image)
    assert torch.equal(found, expected)
    assert found.dtype == expected.dtype
    assert found.is_contiguous()


@pytest.mark.parametrize("ours", [to_tensor, to_uint8])
def test_the_tensor_has_its_own_memory(ours):
    image = noise(8, 8)
    tensor = ours(image)
    before = tensor.clone()
    image.paste((0, 0, 0), (0, 0, 8, 8))
    assert torch.equal(tensor, before)


@pytest.mark.parametrize("mode", ["L", "RGBA", "1", "P"])
def test_other_modes_become_rgb(mode):
    image = noise(3, 2).convert(mode)
    expected = np.moveaxis(np.asarray(image.convert("RGB")), 2, 0)
    assert np.array_equal(to_uint8(image).numpy(), expected)
    assert np.array_equal(to_tensor(image).numpy(), expected / np.float32(255))


def test_it_serves_as_transform(ds):
    images = ds.with_transform(Recombine(ds, seed=2, crop=32, flip=0.5))
    as_tensors = ds.with_transform(Recombine(ds, seed=2, crop=32, flip=0.5, transform=to_tensor))
    for index in range(len(ds)):
        expected = np.moveaxis(np.asarray(images[index]["image"]), 2, 0) / np.float32(255)
        assert np.array_equal(as_tensors[index]["image"].numpy(), expected)


@pytest.mark.parametrize("ours", [to_tensor, to_uint8])
def test_without_torch_the_error_names_it(monkeypatch, ours):
    monkeypatch.setitem(tensors.importlib.sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"tensors need torch.*pip install"):
        ours(noise(2, 2))


def test_bytes_normalised_on_the_model_s_side_are_what_floats_are(ds):
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    floats, levels = (
        loaded(ds, collate, crop=32, transform=transform)["image"] for transform in (to_tensor, to_uint8)
    )
    assert levels.dtype == torch.uint8
    assert torch.equal((levels.float() / 255 - mean) / std, (floats - mean) / std)


def loaded(ds, collate_fn, **parameters):
    ds.set_transform(Recombine(ds, seed=1, return_composition=True, keep=("key",), **parameters))
    return next(iter(torch.utils.data.DataLoader(ds, batch_size=4, collate_fn=collate_fn)))


def test_examples_of_all_kinds_make_batches(ds):
    batch = loaded(ds, collate, crop=32, transform=to_tensor, return_fg_masks=True)
    assert tuple(batch["image"].shape) == (4, 3, 32, 32)
    assert tuple(batch["mask"].shape) == (4, 1, 32, 32)
    assert batch["label"].dtype == torch.int64
    assert batch["key"] == ds.with_format(None)["key"][:4]
    assert [Composition.from_json(made).output for made in batch["composition"]] == [(32, 32)] * 4


def test_images_stay_a_list(ds):
    assert len(loaded(ds, collate)["image"]) == 4


@pytest.mark.parametrize("combination", ["orig", "all"])
def test_compositions_make_batches_without_it_too(ds, combination):
    batch = loaded(ds, None, crop=32, transform=to_tensor, background_combination=combination)
    assert batch["composition"]["background"].tolist() == [-1] * 4 or combination == "all"
    assert len(batch["composition"]["background_key"]) == 4


def test_tuples_and_views_make_batches():
    views = [torch.zeros(3, 2, 2), torch.zeros(3, 1, 1)]
    images, labels, keys = collate([(views, 1, "a"), (views, 2, "b")])
    assert [tuple(view.shape) for view in images] == [(2, 3, 2, 2), (2, 3, 1, 1)]
    assert (labels.tolist(), keys) == ([1, 2], ["a", "b"])


def test_several_sizes_are_named(ds):
    with pytest.raises(ConfigurationError, match=r"differ in the shape of image.*crop=224"):
        collate([{"image": torch.zeros(3, 2, 2)}, {"image": torch.zeros(3, 2, 3)}])


@pytest.mark.parametrize("examples", [[], [3], [None]])
def test_other_things_are_refused(examples):
    with pytest.raises(ConfigurationError, match="no examples"):
        collate(examples)
