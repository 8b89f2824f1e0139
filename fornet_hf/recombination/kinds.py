"""Kinds of transforms: which steps of a user's move pixels, as known or as declared, and what chains consist of.

A step is known by its class: a class of torchvision or timm whose code draws its numbers from the image's size alone,
and from nothing that the image shows. A class derived from it counts as the same as long as it changes no method.
Neither library is imported here.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain


class Kind(enum.Enum):
    """Treatment of pixels by a step."""

    CHAIN = "hands what it gets to other steps"
    COLOURS = "changes colours, or how an image is stored"
    GEOMETRY = "moves pixels by numbers drawn from the image's size: the same numbers move the mask"
    POLICY = "draws operations, some of which move pixels"  # torchvision's automatic augmentations
    PRESET = "resizes, crops the centre, and makes a normalized tensor"  # of torchvision's pretrained weights
    OPERATION = "one operation of timm's automatic augmentations"
    JOINT = "takes image and mask together"  # torchvision's v2, or as the user declared


def _table() -> dict[str, Kind]:
    kinds = {
        Kind.CHAIN: (
            "v1.Compose v1.RandomApply v1.RandomChoice v1.RandomOrder v1.Lambda "
            "v2.Compose v2.RandomApply v2.RandomChoice v2.RandomOrder "
            "timm.RandAugment timm.AutoAugment torch.Sequential fornet_hf.Compose"
        ),
        Kind.COLOURS: (
            "v1.ToTensor v1.PILToTensor v1.ConvertImageDtype v1.ToPILImage v1.Normalize v1.ColorJitter v1.Grayscale "
            "v1.RandomGrayscale v1.RandomErasing v1.GaussianBlur v1.RandomInvert v1.RandomPosterize "
            "v1.RandomSolarize v1.RandomAdjustSharpness v1.RandomAutocontrast v1.RandomEqualize "
            "v1.to_tensor v1.pil_to_tensor v1.convert_image_dtype v2.RandomErasing v2.to_image v2.pil_to_tensor "
            "timm.ToNumpy timm.ToTensor timm.MaybeToTensor timm.MaybePILToTensor timm.RandomErasing "
            "numpy.array numpy.asarray fornet_hf.to_tensor fornet_hf.to_uint8 fornet_hf.ImageOnly"
        ),
        Kind.GEOMETRY: (
            "v1.Resize v1.CenterCrop v1.Pad v1.RandomCrop v1.RandomResizedCrop v1.RandomHorizontalFlip "
            "v1.RandomVerticalFlip v1.RandomPerspective v1.RandomRotation v1.RandomAffine v1.ElasticTransform "
            "timm.RandomResizedCropAndInterpolation timm.CenterCropOrPad timm.RandomCropOrPad timm.RandomPad "
            "timm.ResizeKeepRatio timm.TrimBorder"
        ),
        Kind.POLICY: (
            "v1.AutoAugment v1.RandAugment v1.TrivialAugmentWide v2.AutoAugment v2.RandAugment v2.TrivialAugmentWide"
        ),
        Kind.PRESET: "v1.ImageClassification",
        Kind.OPERATION: "timm.AugmentOp",
        # The bases of v2's steps and of users' steps in its manner, which take image and mask together.
        Kind.JOINT: "v2.Transform fornet_hf.ImageAndMask",
    }
    return {name: kind for kind, names in kinds.items() for name in names.split()}


_KINDS = _table()
# Of v2: several images, blends of several, batches, what needs boxes, and functions. None has one mask.
_WITHOUT_MASK = (
    "Lambda AugMix FiveCrop TenCrop CutMix MixUp RandomIoUCrop LinearTransformation UniformTemporalSubsample"
)
_REFUSED = {f"v2.{name}" for name in _WITHOUT_MASK.split()}
_LIBRARIES = (
    ("torchvision.transforms.v2", "v2"),
    ("torchvision.transforms", "v1"),
    ("timm.data", "timm"),
    ("torch.nn.modules.container", "torch"),
    ("numpy", "numpy"),
    ("fornet_hf", "fornet_hf"),
)
_WORDS = "__module__ __doc__ __init__ __repr__ __annotations__ __dict__ __weakref__ __qualname__ extra_repr"
_SAYS_NOTHING = frozenset(f"{_WORDS} __firstlineno__ __static_attributes__".split())
_KEPT = ("transforms", "lambd", "ops", "policy")  # where chains keep their steps
MOVING = frozenset({"Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY", "TranslateXRel", "TranslateYRel"})
_STAYING = (
    "AutoContrast Equalize Invert Posterize PosterizeIncreasing PosterizeOriginal Solarize SolarizeIncreasing "
    "SolarizeAdd Color ColorIncreasing Contrast ContrastIncreasing Brightness BrightnessIncreasing Sharpness "
    "SharpnessIncreasing Desaturate GaussianBlur GaussianBlurRand"
)


class Compose:
    """Transforms called one after the other."""

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, image: Any) -> Any:
        """Return the image after all of them."""
        for transform in self.transforms:
            image = transform(image)
        return image


def kind_of(step: Any) -> Kind | None:
    """Return how a step treats pixels; None if that is not known."""
    if not isinstance(step, type) and (name := _name(step)) in _KINDS:  # a function
        return _KINDS[name]
    changed = False
    for cls in type(step).__mro__:
        name = _name(cls)
        if name in _REFUSED:
            return None
        if name in _KINDS and (not changed or _KINDS[name] is Kind.JOINT):
            return _KINDS[name]
        changed = changed or bool(set(vars(cls)) - _SAYS_NOTHING)
    return None


def _name(thing: Any) -> str | None:
    """Return the name of a class or function of a known library, such as "v1.Resize"; None for all others."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    for start, library in _LIBRARIES:
        if isinstance(module, str) and f"{module}.".startswith(f"{start}."):
            return f"{library}.{name}"
    return None


def with_steps(chain: Any, change: Callable[[Any], Callable[[Any], Any]]) -> Any:
    """Return a copy of a chain whose steps are what `change` makes of them; it draws as before."""
    twin = copy.copy(chain)
    name, steps = _steps(chain)
    twin.__dict__[name] = _changed(steps, change)  # in front of what torch keeps in `_modules`
    return twin


def check(transform: Any) -> None:
    """Refuse a transform if it is not known how it moves pixels.

    Raises:
        ConfigurationError: a step of it is not known.
    """
    kind = kind_of(transform)
    if kind is Kind.CHAIN:
        with_steps(transform, _checked)
    if kind is None or (kind is Kind.OPERATION and transform.name not in {*MOVING, *_STAYING.split()}):
        then = (
            "Wrap it: fornet_hf.ImageOnly(step) if it moves no pixels, fornet_hf.ImageAndMask(f) with f(image, mask) "
            "if it does; or leave moving to crop= and flip= of the recombination."
        )
        allowed = "steps of torchvision and timm that move image and mask alike, and what is wrapped"
        what = "return_fg_masks cannot tell where this step of transform moves pixels"
        raise ConfigurationError(explain(what, found=shown(transform), allowed=allowed, then=then))


def shown(step: Any) -> str:
    """Return the words for a step in messages: its name if it is a function, else its class."""
    name = getattr(step, "__qualname__", None) or type(step).__qualname__
    return f"{getattr(step, '__module__', None)}.{name}"


def _checked(step: Any) -> Any:
    check(step)
    return step


def _steps(chain: Any) -> tuple[str, Any]:
    """Return the name and value of the attribute that holds the steps."""
    if type(chain).__name__ == "Sequential" or not any(hasattr(chain, name) for name in _KEPT):
        return "_modules", vars(chain)["_modules"]
    name = next(name for name in _KEPT if hasattr(chain, name))
    return name, getattr(chain, name)


def _changed(steps: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(steps, dict):
        return {name: change(step) for name, step in steps.items()}
    if isinstance(steps, (list, tuple)) or type(steps).__name__ in {"ModuleList", "Sequential"}:
        return [_changed(step, change) if isinstance(step, (list, tuple)) else change(step) for step in steps]
    return change(steps)


class ImageOnly:
    """A transform that moves no pixels: the mask stays as it is. `ImageOnly(lambda image: image.convert("L"))`.

    Args:
        transform: called on the image alone.

    Raises:
        ConfigurationError: not a callable.

    Example:
        >>> import fornet_hf
        >>> from PIL import Image, ImageOps
        >>> fornet_hf.ImageOnly(ImageOps.grayscale)(Image.new("RGB", (4, 2))).mode
        'L'
    """

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        self.transform = _callable(type(self).__name__, transform)

    def __call__(self, image: Any) -> Any:
        """Return the image, changed."""
        return self.transform(image)

    def __repr__(self) -> str:
        return f"ImageOnly({self.transform!r})"


class ImageAndMask:
    """A transform that moves image and mask together: `ImageAndMask(f)`, where `f(image, mask)` returns both.

    The mask is of the image's kind: mode L beside a PIL image, uint8 of 1 x height x width beside a tensor, uint8 of
    height x width beside a NumPy array. Without masks, an empty one is handed over.

    Args:
        transform: called on image and mask.

    Raises:
        ConfigurationError: not a callable.

    Example:
        >>> import fornet_hf
        >>> from PIL import Image
        >>> turned = fornet_hf.ImageAndMask(lambda *both: [one.rotate(90, expand=True) for one in both])
        >>> image, mask = turned(Image.new("RGB", (4, 2)), Image.new("L", (4, 2)))
        >>> image.size, mask.size
        ((2, 4), (2, 4))
    """

    def __init__(self, transform: Callable[[Any, Any], tuple[Any, Any]]) -> None:
        self.transform = _callable(type(self).__name__, transform)

    def __call__(self, image: Any, mask: Any = None) -> Any:
        """Return image and mask, moved; the image alone if no mask was given.

        Raises:
            ConfigurationError: it returned something else.
        """
        both = self.transform(image, _empty(image) if mask is None else mask)
        if not isinstance(both, (tuple, list)) or len(both) != 2 or any(part is None for part in both):
            found = [type(part).__name__ for part in both] if isinstance(both, (tuple, list)) else type(both).__name__
            then = f"End {self.transform!r} with: return image, mask"
            raise ConfigurationError(
                explain(
                    "ImageAndMask returned something else", found=found, allowed="an image and its mask", then=then
                )
            )
        return both[0] if mask is None else (both[0], both[1])

    def __repr__(self) -> str:
        return f"ImageAndMask({self.transform!r})"


def _callable(name: str, transform: Any) -> Any:
    if not callable(transform):
        raise ConfigurationError(explain(f"{name} is not allowed", found=repr(transform), allowed="a callable"))
    return transform


def _empty(image: Any) -> Any:
    """Return a mask of no object, of the image's kind."""
    if isinstance(image, Image.Image):
        return Image.new("L", image.size)
    return (image[..., 0] if type(image).__module__ == "numpy" else image[:1]) * 0
