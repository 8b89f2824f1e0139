"""A mask stays on its object, whatever moves the image; the image is what it is without a mask."""

from __future__ import annotations

import importlib.util
import random
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fornet_hf.errors import ConfigurationError
from fornet_hf.recombination import ImageAndMask, ImageOnly, Recombine, to_tensor
from fornet_hf.recombination.joint import moved
from fornet_hf.recombination.kinds import check
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")
if importlib.util.find_spec("torchvision") is None:
    pytest.skip("torchvision is not installed", allow_module_level=True)
torchvision = import_torchvision()
v1, v2, nn, tv_tensors = torchvision.transforms, torchvision.transforms.v2, torch.nn, torchvision.tv_tensors


def timm(name, **parameters):
    return lambda: getattr(pytest.importorskip("timm.data.transforms"), name)(**parameters)


def timm_policy(config, **parameters):
    def made():
        module = pytest.importorskip("timm.data.auto_augment")
        return module.rand_augment_transform(config, {"img_mean": (9, 200, 9), "translate_pct": 0.2}, **parameters)

    return made


def timm_auto():
    return pytest.importorskip("timm.data.auto_augment").auto_augment_transform("original")


MOVING = {
    "resize": lambda: v1.Resize((40, 90)),
    "centre crop": lambda: v1.CenterCrop(70),
    "pad": lambda: v1.Pad((5, 20), fill=(9, 200, 9)),
    "reflected pad": lambda: v1.Pad(30, padding_mode="reflect"),
    "crop": lambda: v1.RandomCrop(90, padding=9, fill=200, pad_if_needed=True),
    "resized crop": lambda: v1.RandomResizedCrop(64, scale=(0.3, 1)),
    "flip": v1.RandomHorizontalFlip,
    "upside down": v1.RandomVerticalFlip,
    "perspective": lambda: v1.RandomPerspective(0.4, fill=(9, 200, 9)),
    "rotation": lambda: v1.RandomRotation(40, v1.InterpolationMode.BILINEAR, expand=True, fill=(9, 200, 9)),
    "affine": lambda: v1.RandomAffine(20, (0.2, 0.1), (0.8, 1.2), 5, v1.InterpolationMode.BICUBIC, fill=200),
    "elastic": lambda: v1.ElasticTransform(20.0, 2.0, fill=200),
    "chain": lambda: v1.Compose([v1.RandomResizedCrop(64, (0.3, 1)), v1.Compose([v1.RandomHorizontalFlip()])]),
    "sometimes": lambda: v1.RandomApply([v1.RandomVerticalFlip(), v1.RandomRotation(30)], p=0.5),
    "modules": lambda: v1.RandomApply(nn.ModuleList([v1.RandomVerticalFlip(), v1.RandomRotation(30)]), p=0.5),
    "choice": lambda: v1.RandomChoice([v1.RandomRotation(30), v1.CenterCrop(60), v1.RandomVerticalFlip(1.0)]),
    "order": lambda: v1.RandomOrder([v1.RandomRotation(30), v1.RandomCrop(40), v1.Resize(60)]),
    "sequential of v2": lambda: nn.Sequential(v2.RandomResizedCrop(64, (0.3, 1)), v2.RandomHorizontalFlip()),
    "sequential of v1": lambda: nn.Sequential(v1.RandomResizedCrop(64, (0.3, 1)), v1.RandomHorizontalFlip()),
    "v2 in v1": lambda: v1.Compose([v2.RandomRotation(30, fill=(9, 200, 9)), v1.RandomCrop(60), v2.Resize(120)]),
    "v1 in v2": lambda: v2.Compose([v1.RandomRotation(30), v2.RandomCrop(60), v1.RandomHorizontalFlip()]),
    "v2 rotation": lambda: v2.RandomRotation(40, expand=True, fill=200),
    "v2 zoom": lambda: v2.RandomZoomOut({tv_tensors.Image: 200, "others": 9}, (1, 2)),
    "v2 sometimes": lambda: v2.RandomApply([v1.RandomVerticalFlip(1.0)], p=0.5),
    "v2 choice": lambda: v2.RandomChoice([v1.RandomVerticalFlip(1.0), v2.RandomAffine(30), v1.Resize(70)]),
    "v2 order": lambda: v2.RandomOrder([v2.RandomRotation(30), v1.RandomCrop(40), v2.Resize(60)]),
    "on tensors": lambda: v1.Compose([v1.ToTensor(), v1.RandomResizedCrop(64, (0.3, 1)), v1.RandomRotation(20)]),
    "and back": lambda: v1.Compose([v1.ToTensor(), v1.RandomRotation(20), v1.ToPILImage(), v1.RandomCrop(60)]),
    "pure tensors": lambda: v2.Compose([v2.ToImage(), v2.ToPureTensor(), v2.RandomHorizontalFlip(1.0)]),
    "timm resized crop": timm("RandomResizedCropAndInterpolation", size=64, scale=(0.3, 1), interpolation="random"),
    "timm centre": timm("CenterCropOrPad", size=(160, 60)),
    "timm crop": timm("RandomCropOrPad", size=(160, 60), fill=200),
    "timm pad": timm("RandomPad", input_size=(160, 200)),
    "timm ratio": timm("ResizeKeepRatio", size=70, random_scale_prob=1.0, random_aspect_prob=1.0),
    "timm border": timm("TrimBorder", border_size=20),
}
OPERATIONS = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"]


def moving_only(policy):
    """A policy of torchvision without operations on colours."""
    if isinstance(policy, v2.Transform):
        space = policy._AUGMENTATION_SPACE
        policy._AUGMENTATION_SPACE = {name: space[name] for name in OPERATIONS}
    else:
        space_of = policy._augmentation_space
        policy._augmentation_space = lambda *args: {name: space_of(*args)[name] for name in OPERATIONS}
    return policy


POLICIES = {
    "v1 policy": lambda: moving_only(v1.RandAugment(3, 8, fill=[9, 200, 9])),
    "v1 wide": lambda: moving_only(v1.TrivialAugmentWide(fill=[9, 200, 9])),
    "v2 policy": lambda: moving_only(v2.RandAugment(3, 8, fill=[9, 200, 9], interpolation="bilinear")),
    "v2 wide": lambda: moving_only(v2.TrivialAugmentWide(fill=[9, 200, 9])),
    "timm policy": timm_policy("rand-m5-n3-mstd0.5", transforms=["Rotate", "ShearX", "ShearY", "TranslateXRel"]),
}
COLOURED = {
    "v1 policy": lambda: v1.RandAugment(3, 12),
    "v1 wide": lambda: v1.TrivialAugmentWide(fill=[9, 200, 9]),
    "v1 auto": lambda: v1.AutoAugment(interpolation=v1.InterpolationMode.BILINEAR),
    "v2 policy": lambda: v2.RandAugment(3, 12),
    "v2 wide": lambda: v2.TrivialAugmentWide(fill=[9, 200, 9]),
    "v2 auto": v2.AutoAugment,
    "timm policy": timm_policy("rand-m9-n3-mstd0.5-inc1-mmax9"),
    "timm weights": timm_policy("rand-m5-tweights"),
    "timm auto": timm_auto,
    "colours": lambda: v1.Compose([v1.ColorJitter(0.4), v1.RandomRotation(20), v1.ToTensor(), v1.RandomErasing(1.0)]),
    "v2 erasing": lambda: v2.Compose([v2.RandomHorizontalFlip(), v2.ToImage(), v2.RandomErasing(1.0)]),
}


def scene(seed):
    """A red object on green, and its mask."""
    draws = np.random.default_rng(seed)
    width, height = int(draws.integers(100, 160)), int(draws.integers(100, 160))
    mask = Image.new("L", (width, height))
    x, y = draws.uniform(0.15, 0.4, 2) * (width, height)
    corners = [(x, y), (x + 0.4 * width, y + 0.1 * height), (x + 0.3 * width, y + 0.5 * height)]
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    image = Image.new("RGB", mask.size, (0, 255, 0))
    image.paste((255, 0, 0), mask=mask)
    return image, mask


def seeded(seed, call):
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # timm draws from it
    return call(), (torch.rand(3).tolist(), random.random(), np.random.random())  # noqa: NPY002


def as_array(value):
    """Height x width (x channels), 0 to 255."""
    if not isinstance(value, torch.Tensor):
        return np.asarray(value)
    return np.moveaxis(value.numpy(), 0, -1).squeeze() * (255.0 if value.dtype == torch.float32 else 1.0)


def assert_on_the_object(image, mask):
    colours = as_array(image).astype(float)
    shown, masked = colours[..., 0] - colours[..., 1] > 127, as_array(mask) > 127
    either = (shown | masked).sum()
    assert (shown != masked).sum() <= 0.08 * either + 8, f"overlap {(shown & masked).sum() / either:.3f}"


@pytest.mark.parametrize("name", [*MOVING, *(f"only {name}" for name in POLICIES)])
def test_the_mask_stays_on_the_object(name):
    transform = {**MOVING, **{f"only {name}": policy for name, policy in POLICIES.items()}}[name]()
    check(transform)
    for seed in range(10):
        (image, mask), _ = seeded(seed, partial(moved, transform, *scene(seed)))
        assert_on_the_object(image, mask)


@pytest.mark.parametrize("name", MOVING | COLOURED)
def test_the_image_and_all_later_draws_are_those_without_a_mask(name):
    transform = {**MOVING, **COLOURED}[name]()
    for seed in range(10):
        image, mask = scene(seed)
        alone, drawn = seeded(seed, partial(transform, image))
        (beside, _), drawn_beside = seeded(seed, partial(moved, transform, image, mask))
        assert np.array_equal(as_array(alone), as_array(beside))
        assert drawn == drawn_beside


KINDS = {
    "v1": (lambda: v1.RandomHorizontalFlip(1.0), Image.Image),
    "v2": (lambda: v2.RandomHorizontalFlip(1.0), tv_tensors.Mask),
    "tensor": (lambda: v1.Compose([v1.RandomHorizontalFlip(1.0), v1.ToTensor()]), torch.Tensor),
    "ours": (lambda: v1.Compose([v1.RandomHorizontalFlip(1.0), to_tensor]), torch.Tensor),
    "array": (lambda: v1.Compose([v1.RandomHorizontalFlip(1.0), np.asarray]), np.ndarray),
    "lambda": (lambda: v1.Compose([v1.Lambda(ImageOnly(lambda image: image)), v2.RandomHorizontalFlip(1.0)]), None),
    "declared": (lambda: ImageAndMask(lambda image, mask: (image.transpose(0), mask.transpose(0))), Image.Image),
}


@pytest.mark.parametrize("name", KINDS)
def test_masks_are_of_the_kind_of_their_images(name):
    make, kind = KINDS[name]
    image, mask = scene(1)
    made, mirrored = moved(make(), image, mask)
    assert kind is None or type(mirrored) is kind
    assert np.array_equal(as_array(mirrored).squeeze(), np.asarray(mask)[:, ::-1])
    assert np.array_equal(as_array(made), as_array(make()(image)))


class Derived(v1.RandomHorizontalFlip):
    def __init__(self):
        super().__init__(p=1.0)


class LooksAtTheImage(v1.RandomResizedCrop):
    @staticmethod
    def get_params(image, scale, ratio):
        return (0, 0, 8, 8) if np.asarray(image).mean() > 9 else (8, 8, 8, 8)


class InTheMannerOfV2(v2.Transform):
    def make_params(self, flat_inputs):
        return {"flip": bool(torch.rand(()) < 2)}

    def transform(self, part, params):
        return v2.functional.horizontal_flip(part) if params["flip"] else part


@pytest.mark.parametrize("transform", [Derived(), InTheMannerOfV2()], ids=lambda step: type(step).__name__)
def test_classes_derived_from_known_ones_are_known(transform):
    check(transform)
    image, mask = scene(1)
    assert_on_the_object(*moved(transform, image, mask))
    assert_on_the_object(image.transpose(0), moved(transform, image, mask).mask)


@pytest.mark.parametrize(
    "step",
    [
        lambda image: image.transpose(0),
        LooksAtTheImage(8),
        v1.Lambda(lambda image: image),
        v2.Lambda(lambda image: image),
        v1.FiveCrop(8),
        v1.AugMix(),
        v2.AugMix(),
        partial(Image.Image.resize, size=(8, 8)),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "within", [lambda step: step, lambda step: v1.Compose([v1.Resize(9), v1.RandomApply([step])])]
)
def test_what_is_not_known_is_refused_when_the_transform_is_set(ds, step, within):
    with pytest.raises(ConfigurationError, match=r"cannot tell where this step.*ImageOnly.*ImageAndMask.*crop="):
        Recombine(ds, return_fg_masks=True, transform=within(step))
    Recombine(ds, transform=within(step))  # without masks anything goes


@pytest.mark.parametrize(
    "transform",
    [
        ImageOnly(lambda image: image.resize((50, 40))),
        ImageOnly(lambda image: [image, image]),
        ImageAndMask(lambda image, mask: (image, mask.resize((3, 3)))),
    ],
)
def test_different_sizes_are_never_handed_over(ds, transform):
    recombine = Recombine(ds, return_fg_masks=True, transform=transform)
    with pytest.raises(ConfigurationError, match="different sizes"):
        recombine(ds.with_format(None)[:1])


def test_arrays_that_v2_leaves_alone_are_refused(ds):
    transform = v2.Compose([np.asarray, v2.RandomHorizontalFlip(1.0)])
    recombine = Recombine(ds, return_fg_masks=True, transform=transform)
    with pytest.raises(ConfigurationError, match=r"RandomHorizontalFlip moves the mask only.*ToImage"):
        recombine(ds.with_format(None)[:1])


@pytest.mark.parametrize("returned", [None, 3, [None, None], ["only one"]])
def test_a_declared_transform_must_return_both(returned):
    with pytest.raises(ConfigurationError, match="return image, mask"):
        ImageAndMask(lambda image, mask: returned)(*scene(1))


def test_without_masks_a_declared_transform_gives_the_image():
    image, _ = scene(1)
    both = ImageAndMask(lambda image, mask: (image.transpose(0), mask.transpose(0)))
    assert both(image).tobytes() == image.transpose(0).tobytes()
    assert ImageAndMask(lambda image, mask: (image + 1, mask))(np.zeros((4, 5, 3))).max() == 1
    assert ImageAndMask(lambda image, mask: (image, mask))(torch.ones(3, 4, 5)).shape == (3, 4, 5)


@pytest.mark.parametrize("policy", ["rand-m9-mstd0.5-inc1-mmax9", "original-mstd0.5", None])
def test_the_training_transform_of_timm_moves_masks(ds, policy):
    factory = pytest.importorskip("timm.data.transforms_factory")
    transform = factory.create_transform(64, is_training=True, auto_augment=policy, re_prob=1.0, vflip=0.5)
    recombine = Recombine(ds, seed=1, return_fg_masks=True, transform=transform)
    examples = recombine(ds.with_format(None)[:])
    assert {tuple(image.shape) for image in examples["image"]} == {(3, 64, 64)}
    assert {tuple(mask.shape) for mask in examples["mask"]} == {(1, 64, 64)}
    assert max(mask.max() for mask in examples["mask"]) == 255


def test_the_transform_of_pretrained_weights_moves_masks():
    preset = import_torchvision().transforms._presets.ImageClassification
    for shape, resized in ((64, 80), (96, 70)):  # the second pads
        plain = preset(crop_size=shape, resize_size=resized, mean=(0.0,) * 3, std=(1.0,) * 3)
        check(plain)
        for seed in range(4):
            assert_on_the_object(*moved(plain, *scene(seed)))


def test_the_evaluation_transform_of_timm_moves_masks(ds):
    factory = pytest.importorskip("timm.data.transforms_factory")
    for mode in ("center", "squash", "border"):
        transform = factory.create_transform(64, crop_mode=mode)
        examples = Recombine(ds, return_fg_masks=True, transform=transform)(ds.with_format(None)[:2])
        assert {tuple(mask.shape) for mask in examples["mask"]} == {(1, 64, 64)}
