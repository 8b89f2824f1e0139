"""The user's transforms: order, masks moved along."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from PIL import Image

from fornet_hf.recombination import Recombine
from fornet_hf.recombination.hooks import split_geometry
from fornet_hf.recombination.tensors import to_tensor
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")
if importlib.util.find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)
torchvision = import_torchvision()
v1, v2 = torchvision.transforms, torchvision.transforms.v2


def steps(transform):
    return [type(step).__name__ for step in transform.transforms]


@pytest.mark.parametrize("library", [v1, v2])
def test_crops_and_resizes_are_told_apart(library):
    whole = library.Compose(
        [library.RandomResizedCrop(64), library.RandomHorizontalFlip(), library.Resize(32), library.ColorJitter(0.1)]
    )
    first, rest = split_geometry(whole)
    assert steps(first) == ["RandomResizedCrop", "Resize"]
    assert steps(rest) == ["RandomHorizontalFlip", "ColorJitter"]
    assert type(first) is type(whole)


@pytest.mark.parametrize("library", [v1, v2])
def test_steps_of_steps_are_told_apart(library):
    inner = library.Compose([library.CenterCrop(32), library.ColorJitter(0.1)])
    first, rest = split_geometry(library.Compose([library.Resize(64), inner, library.RandomHorizontalFlip()]))
    assert steps(first) == ["Resize", "CenterCrop"]
    assert steps(rest) == ["ColorJitter", "RandomHorizontalFlip"]


def test_steps_of_a_sequential_are_told_apart(ds):
    whole = torch.nn.Sequential(v2.RandomResizedCrop(64), v2.RandomHorizontalFlip(), v2.Resize(32))
    first, rest = split_geometry(v1.Compose([whole, v1.ToTensor()]))
    assert steps(first) == ["RandomResizedCrop", "Resize"]
    assert steps(rest) == ["RandomHorizontalFlip", "ToTensor"]
    assert [steps(part) for part in split_geometry(whole)] == [
        ["RandomResizedCrop", "Resize"],
        ["RandomHorizontalFlip"],
    ]
    recombine = Recombine(ds, transform=whole, paste_pre_transform=False, return_composition=True)
    assert recombine(ds.with_format(None)[:1])["composition"][0]["canvas"] == [32, 32]


@pytest.mark.parametrize("library", [v1, v2])
def test_a_choice_among_steps_stays_one_step(library):
    choice = library.RandomChoice([library.CenterCrop(32), library.Resize(32)])
    assert split_geometry(choice) == (None, choice)


def test_a_single_step_is_one_or_the_other():
    crop, flip = v2.CenterCrop(3), v2.RandomHorizontalFlip()
    assert split_geometry(crop) == (crop, None)
    assert split_geometry(flip) == (None, flip)
    assert split_geometry(None) == (None, None)


def test_masks_move_with_the_image(ds):
    def transform_of(p):
        return v2.Compose([v2.Resize((64, 64)), v2.RandomHorizontalFlip(p)])

    examples = []
    for p in (0.0, 1.0):
        ds.set_transform(Recombine(ds, seed=1, transform=transform_of(p), return_fg_masks=True))
        examples.append(ds[0])
    before, after = examples
    assert isinstance(after["mask"], torchvision.tv_tensors.Mask)
    assert tuple(after["mask"].shape) == (1, 64, 64)
    assert np.array_equal(before["mask"].numpy()[..., ::-1], after["mask"].numpy())
    assert np.array_equal(np.asarray(before["image"])[:, ::-1], np.asarray(after["image"]))
    assert 0 < (after["mask"] > 0).sum() < 64 * 64


def test_other_transforms_get_the_image_alone(ds):
    ds.set_transform(Recombine(ds, transform=v1.ToTensor(), crop=48, return_fg_masks=True))
    example = ds[0]
    assert tuple(example["image"].shape) == (3, 48, 48)
    assert (tuple(example["mask"].shape), example["mask"].dtype) == ((1, 48, 48), torch.uint8)
    ds.set_transform(Recombine(ds, transform=v1.Grayscale(), crop=48, return_fg_masks=True))
    assert isinstance(ds[0]["mask"], Image.Image)


def test_tensors_of_images_and_masks_make_batches(ds):
    recombine = Recombine(ds, seed=1, transform=to_tensor, crop=48, return_fg_masks=True)
    batch = next(iter(torch.utils.data.DataLoader(ds.with_transform(recombine), batch_size=4)))
    assert tuple(batch["mask"].shape) == (4, 1, 48, 48)
    shown = Recombine(ds, seed=1, crop=48, return_fg_masks=True)(ds.with_format(None)[:4])
    assert np.array_equal(batch["mask"][:, 0].numpy(), np.stack([np.asarray(mask) for mask in shown["mask"]]))


def red_square(image):
    return Image.new("RGBA", (40, 40), (255, 0, 0, 255))


@pytest.mark.parametrize("combination", ["orig", "all"])
def test_background_first_crops_the_background_but_never_the_object(ds, combination):
    transform = v2.Compose([v2.CenterCrop(50), v2.RandomHorizontalFlip(1.0), v2.ToImage()])
    ds.set_transform(
        Recombine(
            ds,
            seed=5,
            background_combination=combination,
            foreground_transform=red_square,
            transform=transform,
            paste_pre_transform=False,
            mask_smoothing_sigma=0.0,
            return_composition=True,
            return_fg_masks=True,
        )
    )
    for index in range(8):
        example = ds[index]
        composition = example["composition"]
        assert composition["canvas"] == [50, 50]
        assert tuple(example["image"].shape) == (3, 50, 50)
        red = (example["image"].permute(1, 2, 0).numpy() == (255, 0, 0)).all(axis=-1)
        assert red.sum() == composition["size"][0] * composition["size"][1]
        assert np.array_equal(red, example["mask"].numpy()[0] == 255)  # flipped after pasting


def test_background_first_shows_originals_through_the_whole_transform(ds):
    transform = v1.Compose([v1.CenterCrop(50), v1.ToTensor()])
    ds.set_transform(Recombine(ds, transform=transform, paste_pre_transform=False, orig_img_prob=1.0))
    assert tuple(ds[0]["image"].shape) == (3, 50, 50)


def test_masks_move_with_old_transforms_too(ds):
    examples = []
    for p in (0.0, 1.0):
        transform = v1.Compose([v1.CenterCrop((64, 50)), v1.RandomHorizontalFlip(p)])
        ds.set_transform(Recombine(ds, seed=1, transform=transform, return_fg_masks=True))
        examples.append(ds[0])
    before, after = examples
    assert before["mask"].size == (50, 64)
    assert 0 < np.asarray(before["mask"]).sum() < 64 * 50 * 255
    for name in ("image", "mask"):
        assert np.array_equal(np.asarray(before[name])[:, ::-1], np.asarray(after[name]))
