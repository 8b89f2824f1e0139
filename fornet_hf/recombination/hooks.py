"""The user's own transforms around a recombination, and what an example consists of."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.compositing import Composed
from fornet_hf.recombination.composition import Composition
from fornet_hf.recombination.tensors import is_tensor, mask_tensor


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What happens before and after a recombination.

    Attributes:
        foreground_transform: called on the object as tight RGBA picture, before its size is drawn; returns RGBA.
        transform: called on the recombined picture. With `return_fg_masks`, a transform of torchvision's v2 is
            called on picture and mask together, so that the mask (a `tv_tensors.Mask`, uint8, 1 x height x width)
            is moved along. Any other is called on the picture alone and must not move pixels: use `crop` and
            `flip` of the configuration for that. If it makes a tensor of the picture, the mask is one, too (as
            above).
        target_transform: called on the label.
        return_fg_masks: examples have the pasted mask, as `mask`.
        return_composition: examples have what was drawn, as `composition`, a JSON-able dict.

    Raises:
        ConfigurationError: a transform that cannot be called.
    """

    foreground_transform: Callable[[Image.Image], Image.Image] | None = None
    transform: Callable[..., Any] | None = None
    target_transform: Callable[[int], Any] | None = None
    return_fg_masks: bool = False
    return_composition: bool = False

    def __post_init__(self) -> None:
        for name in ("foreground_transform", "transform", "target_transform"):
            hook = getattr(self, name)
            if hook is not None and not callable(hook):
                raise ConfigurationError(explain(f"{name} is not allowed", found=repr(hook), allowed="a callable"))

    def transformed(self, foreground: Image.Image) -> Image.Image:
        """What `foreground_transform` makes of the object.

        Raises:
            ConfigurationError: it returned no RGBA picture.
        """
        if self.foreground_transform is None:
            return foreground
        picture = self.foreground_transform(foreground)
        if not isinstance(picture, Image.Image) or picture.mode != "RGBA":
            found = picture.mode if isinstance(picture, Image.Image) else type(picture).__name__
            raise ConfigurationError(
                explain("foreground_transform returned something else", found=found, allowed="an RGBA picture")
            )
        return picture

    def example(
        self, composed: Composed, label: int, composition: Composition, transform: Callable[..., Any] | None
    ) -> dict[str, Any]:
        """The columns of one example. `transform`: `self.transform`, or what is left of it to be done."""
        image: Any = composed.image
        mask: Any = composed.mask
        if transform is not None and mask is not None and _is_v2(transform):
            tv_tensors = importlib.import_module("torchvision.tv_tensors")
            image, mask = transform(image, tv_tensors.Mask(mask))
        elif transform is not None:
            image = transform(image)
            if mask is not None and is_tensor(image):
                mask = mask_tensor(mask)
        example = {"image": image, "label": label if self.target_transform is None else self.target_transform(label)}
        if self.return_fg_masks:
            example["mask"] = mask
        if self.return_composition:
            example["composition"] = composition.to_json()
        return example


def split_geometry(
    transform: Callable[..., Any] | None,
) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    """A transform as two: its steps that crop or resize (by the names of their classes), and all others.

    The steps of a torchvision `Compose`, old or v2, are told apart, also where one is a step of another; any other
    transform is one step.
    """
    if transform is None:
        return None, None
    if not _is_sequence(transform):
        return (transform, None) if _is_geometry(transform) else (None, transform)
    steps = list(_steps(transform))
    first = [step for step in steps if _is_geometry(step)]
    rest = [step for step in steps if not _is_geometry(step)]
    compose: Callable[..., Any] = type(transform)
    return compose(first) if first else None, compose(rest) if rest else None


def _steps(transform: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    if not _is_sequence(transform):
        yield transform
        return
    for step in transform.transforms:  # type: ignore[attr-defined]
        yield from _steps(step)


def _is_sequence(transform: object) -> bool:
    """Whether it calls its `transforms` one after the other; there are others, which choose among them."""
    return type(transform).__name__ == "Compose" and isinstance(getattr(transform, "transforms", None), (list, tuple))


def _is_geometry(step: object) -> bool:
    return "Crop" in type(step).__name__ or "Resize" in type(step).__name__


def _is_v2(transform: object) -> bool:
    return any(cls.__module__.startswith("torchvision.transforms.v2") for cls in type(transform).__mro__)
