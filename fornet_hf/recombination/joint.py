"""Image and mask through a user's transform: what moves the image moves the mask.

A transform is walked through step by step. Chains of steps run their own code, and draw what they draw. A step that
moves pixels is called twice with the same random numbers: on the image, then on the mask, for which it takes the
nearest pixels, and 0 beyond the image. Afterwards the generators are where the image alone would have left them, so
that an image is the same with its mask and without.
"""

from __future__ import annotations

import copy
import importlib
import random
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.kinds import MOVING, Kind, kind_of, shown, with_steps
from fornet_hf.recombination.tensors import is_tensor, mask_tensor


class Pair(NamedTuple):
    """Attributes: `image`, whatever the steps made of it; `mask`, of the same kind, or a `tv_tensors.Mask`."""

    image: Any
    mask: Any


def moved(transform: Callable[..., Any], image: Image.Image, mask: Image.Image) -> Pair:
    """Return image and mask after a transform that `kinds.check` accepts.

    Args:
        image: RGB.
        mask: mode L, of the same size.

    Returns: what the transform makes of the image, and the mask: a `tv_tensors.Mask` (uint8, 1 x height x width) if
        the last step to move it was one of torchvision's v2; else mode L beside a PIL image, a uint8 tensor of
        1 x height x width beside a tensor, and a uint8 array of height x width beside a NumPy array.

    Raises:
        ConfigurationError: the results are not one image and a mask of the same size.
    """
    image, mask = _step(transform, Pair(image, mask))
    mask = mask if _is_joint(mask) else _like(image, mask)
    size, shape = (_shape(mask) or ())[-2:], _shape(image) or ()
    if size not in (shape[:2], shape[-2:]):
        found = f"{_told(image)}, and a mask of {_told(mask)}"
        then = "Let all steps that move pixels move both: see fornet_hf.ImageAndMask."
        raise ConfigurationError(explain("transform left image and mask of different sizes", found=found, then=then))
    return Pair(image, mask)


def _step(step: Any, pair: Pair) -> Pair:
    kind = kind_of(step)
    if kind is Kind.CHAIN:
        return _of(with_steps(step, lambda inner: partial(_step, inner))(pair))
    if kind is Kind.JOINT:
        return _together(step, pair)
    if kind is Kind.GEOMETRY or (kind is Kind.OPERATION and step.name in MOVING):
        return _twice(step, pair)
    if kind is Kind.POLICY:
        return _replayed(step, pair)
    if kind is Kind.PRESET:
        return _preset(step, pair)
    return Pair(step(pair.image), pair.mask)


def _of(result: Any) -> Pair:
    if not isinstance(result, Pair):  # a chain that keeps to itself what its steps gave it
        raise ConfigurationError(explain("transform returned no image", found=type(result).__name__))
    return result


def _together(step: Any, pair: Pair) -> Pair:
    """Move both by a step that takes both at once."""
    if type(step).__module__.startswith("fornet_hf."):
        return Pair(*step(pair.image, _like(pair.image, pair.mask)))
    mask_type = importlib.import_module("torchvision.tv_tensors").Mask
    if "others" in getattr(step, "_fill", ()):  # the image's colour around it is no level of a mask
        step = _with(step, _fill={mask_type: 0, **step._fill})  # noqa: SLF001
    image, mask = step(pair.image, mask_type(pair.mask))
    if not isinstance(image, Image.Image) and not is_tensor(image):
        then = "Begin with v2.ToImage(), or leave the NumPy array to the end."
        raise ConfigurationError(
            explain(f"{shown(step)} moves the mask only", found=_told(image), allowed="images, tensors", then=then)
        )
    return Pair(image, mask)


def _twice(step: Any, pair: Pair) -> Pair:
    """Move both by the same step, with the same random numbers."""
    before = _random_state()
    image = step(pair.image)
    after = _random_state()
    _set_random_state(before)
    try:
        return Pair(image, _hard(step)(_like(pair.image, pair.mask)))
    finally:
        _set_random_state(after)


def _preset(step: Any, pair: Pair) -> Pair:
    """Move both by the preset of torchvision's pretrained weights."""
    functional = importlib.import_module("torchvision.transforms.functional")
    mask = functional.resize(_like(pair.image, pair.mask), step.resize_size, interpolation=_nearest())
    return Pair(step(pair.image), functional.center_crop(mask, step.crop_size))


def _replayed(step: Any, pair: Pair) -> Pair:
    """Move both by a policy of torchvision: each operation that moved the image's pixels moves the mask's."""
    mask, nearest = _like(pair.image, pair.mask), _nearest()
    done: list[tuple[str, float]] = []
    forward = type(step).forward
    if hasattr(step, "_apply_image_or_video_transform"):  # v2
        own = step._apply_image_or_video_transform  # noqa: SLF001
        step = _with(step, _apply_image_or_video_transform=_noting(own, done))
        image = step(pair.image)
        again = partial(own, interpolation=nearest, fill={"others": 0})
    else:  # v1 applies operations by a function of its module: here by one that notes them
        own = forward.__globals__["_apply_op"]
        noted = FunctionType(forward.__code__, {**forward.__globals__, "_apply_op": _noting(own, done)})
        image = noted(step, pair.image)
        again = partial(own, interpolation=nearest, fill=None)
    for operation, magnitude in done:
        if operation in MOVING:
            mask = again(mask, operation, magnitude)
    return Pair(image, mask)


def _noting(apply: Callable[..., Any], done: list[tuple[str, float]]) -> Callable[..., Any]:
    def applied(image: Any, operation: str, magnitude: float, *args: Any, **kwargs: Any) -> Any:
        done.append((operation, magnitude))
        return apply(image, operation, magnitude, *args, **kwargs)

    return applied


def _hard(step: Any) -> Any:
    """Return the step as it is for masks: nearest pixels, and 0 beyond the image."""
    if hasattr(step, "aug_fn"):
        return _with(step, kwargs={**step.kwargs, "resample": Image.Resampling.NEAREST, "fillcolor": 0})
    changed: dict[str, Any] = {"interpolation": _nearest()} if hasattr(step, "interpolation") else {}
    return _with(step, **changed, **({"fill": 0} if hasattr(step, "fill") else {}))


def _with(step: Any, **attributes: Any) -> Any:
    twin = copy.copy(step)
    twin.__dict__.update(attributes)
    return twin


def _nearest() -> Any:
    return importlib.import_module("torchvision.transforms").InterpolationMode.NEAREST


def _random_state() -> tuple[Any, Any, Any]:
    """Return the state of the generators that torchvision and timm draw from."""
    torch = importlib.import_module("torch")
    return torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002


def _set_random_state(state: tuple[Any, Any, Any]) -> None:
    importlib.import_module("torch").set_rng_state(state[0])
    random.setstate(state[1])
    np.random.set_state(state[2])  # noqa: NPY002


def _is_joint(mask: Any) -> bool:
    return type(mask).__module__.startswith("torchvision.tv_tensors")


def _like(image: Any, mask: Any) -> Any:
    """Return the mask as image, tensor or array, as the image is."""
    if is_tensor(image):
        mask = mask_tensor(mask) if not is_tensor(mask) else mask
        return mask.as_subclass(importlib.import_module("torch").Tensor)
    levels = np.asarray(mask[0] if is_tensor(mask) else mask)
    return Image.fromarray(levels) if isinstance(image, Image.Image) else levels


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return height and width of an image, the shape of a tensor or array; None of anything else."""
    if isinstance(value, Image.Image):
        return value.height, value.width
    shape = getattr(value, "shape", None)
    return tuple(shape) if isinstance(shape, tuple) and len(shape) >= 2 else None


def _told(value: Any) -> str:
    return f"{type(value).__name__} of {_shape(value) or 'no size'}"
