"""The user's own transforms around a recombination, and what an example consists of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from PIL import Image

from fornet_hf.arguments import either
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.recombination.device.layers import WAYS, Deferred
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.joint import moved
from fornet_hf.recombination.kinds import Compose, check
from fornet_hf.recombination.pixels.compositing import Composed


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Transforms of the user before and after a recombination, and the columns of examples.

    Attributes:
        foreground_transform: called on the object as tight RGBA image, before its size is drawn; returns RGBA.
        transform: called on the recombined image. With `return_fg_masks`, what moves the image moves the mask:
            steps of torchvision (v1 and v2, in any composition) and timm. Say of any other step whether it moves
            pixels: `ImageOnly(step)` if not, `ImageAndMask(f)` if `f(image, mask)` moves both; else it is refused.
            The mask is a `tv_tensors.Mask` (uint8, 1 x height x width) after v2, else of the image's kind: mode L
            beside a PIL image, a uint8 tensor of 1 x height x width beside a tensor.
        target_transform: called on the label.
        return_fg_masks: examples have the pasted mask, as `mask`.
        return_composition: examples have what was drawn, as `composition`, a JSON-able dict without nulls.
        keep: columns of the rows that are handed through to the examples, such as `("key",)`.
        defer: "pixels" or "jpeg": examples have no image yet, but what a `Compositor` makes it of.
        fg_transform: another name by which `foreground_transform` may be given.

    Raises:
        ConfigurationError: a transform that cannot be called or is given under two names, or which a mask cannot
            follow.
    """

    foreground_transform: Callable[[Image.Image], Image.Image] | None = None
    transform: Callable[..., Any] | None = None
    target_transform: Callable[[int], Any] | None = None
    return_fg_masks: bool = False
    return_composition: bool = False
    keep: Collection[str] = ()
    defer: str | None = None
    fg_transform: InitVar[Callable[[Image.Image], Image.Image] | None] = None

    def __post_init__(self, fg_transform: Callable[[Image.Image], Image.Image] | None) -> None:
        foreground_transform = either(foreground_transform=self.foreground_transform, fg_transform=fg_transform)
        object.__setattr__(self, "foreground_transform", foreground_transform)
        for name in ("foreground_transform", "transform", "target_transform"):
            hook = getattr(self, name)
            if hook is not None and not callable(hook):
                raise ConfigurationError(explain(f"{name} is not allowed", found=repr(hook), allowed="a callable"))
        self._check_keep()
        if self.defer is not None and (self.defer not in WAYS or self.transform is not None):
            found = f"{self.defer!r}{' and a transform' if self.transform else ''}"
            then = "Call transforms of images on the batch, after the Compositor."
            raise ConfigurationError(
                explain("defer is not allowed", found=found, allowed="pixels or jpeg, without transform", then=then)
            )
        if self.return_fg_masks and self.transform is not None:
            check(self.transform)

    def _check_keep(self) -> None:
        keep, taken = self.keep, {"image", "label"}
        taken |= {"mask"} if self.return_fg_masks else set()
        taken |= {"composition"} if self.return_composition else set()
        names = isinstance(keep, Collection) and not isinstance(keep, (str, bytes))
        names = names and all(isinstance(name, str) for name in keep)
        if not names or len(set(keep)) < len(keep) or taken & set(keep):
            allowed = 'names of columns that examples do not have anyway, as in keep=("key",)'
            raise ConfigurationError(explain("keep is not allowed", found=repr(keep), allowed=allowed))
        object.__setattr__(self, "keep", tuple(keep))

    def transformed(self, foreground: Image.Image) -> Image.Image:
        """Return the object after `foreground_transform`.

        Raises:
            ConfigurationError: it returned no RGBA image.
        """
        if self.foreground_transform is None:
            return foreground
        image = self.foreground_transform(foreground)
        found = f"{image.mode} of {image.size}" if isinstance(image, Image.Image) else type(image).__name__
        if not isinstance(image, Image.Image) or image.mode != "RGBA" or 0 in image.size:
            what, allowed = "foreground_transform returned something else", "an RGBA image"
            raise ConfigurationError(explain(what, found=found, allowed=allowed, then=_RETURN))
        if not image.getchannel("A").getbbox() and foreground.getchannel("A").getbbox():
            what, allowed = "foreground_transform returned an invisible object", "alpha above 0 somewhere"
            raise ConfigurationError(explain(what, found=found, allowed=allowed, then="Keep its alpha channel."))
        return image

    def example(
        self,
        composed: Composed | Deferred,
        row: Mapping[str, Any],
        composition: Composition,
        transform: Callable[..., Any] | None,
    ) -> dict[str, Any]:
        """Return the columns of one example. `transform`: `self.transform`, or what is left of it to be done.

        Raises:
            ConfigurationError: a transform returned nothing.
        """
        image: Any = composed if isinstance(composed, Deferred) else composed.image
        mask: Any = None if isinstance(composed, Deferred) else composed.mask
        if transform is not None and mask is not None:
            image, mask = moved(transform, image, mask)
        elif transform is not None:
            image = transform(image)
        _require("transform", image)
        label = row["label"]
        if self.target_transform is not None:
            label = self.target_transform(label)
            _require("target_transform", label)
        example = {"image": image, "label": label}
        if self.return_fg_masks and self.defer is None:
            example["mask"] = mask
        if self.return_composition:
            example["composition"] = composition.to_json()
        return example | {name: row[name] for name in self.keep}


_RETURN = "Perhaps it lacks a return, or changes the image in place."


def _require(name: str, value: Any) -> None:
    """Refuse None and what is empty."""
    size = getattr(value, "size", None)  # of an image: width and height; of an array: the number of values
    shape = getattr(value, "shape", size)
    empty = isinstance(shape, tuple) and 0 in shape
    if value is None or empty or (isinstance(value, (list, tuple, dict, str)) and not value):
        found = f"an empty {type(value).__name__}" if value is not None else None
        raise ConfigurationError(explain(f"{name} returned nothing", found=found, then=_RETURN))


def cropped(transform: Callable[..., Any], background: Image.Image) -> Image.Image:
    """Return a background after the crop or resize of a user's transform, for `paste_pre_transform=False`.

    Raises:
        ConfigurationError: no image.
    """
    image = transform(background)
    if not isinstance(image, Image.Image) or 0 in image.size:
        what, then = (
            "the crop or resize in transform returned something else",
            "Or leave paste_pre_transform as it is.",
        )
        raise ConfigurationError(explain(what, found=type(image).__name__, allowed="a PIL image", then=then))
    return image


def split_geometry(
    transform: Callable[..., Any] | None,
) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None]:
    """Return a transform as two: its steps that crop or resize (by the names of their classes), and all others.

    The steps of torchvision's `Compose`, old or v2, and of torch's `Sequential` are told apart, also where one is a
    step of another; any other transform is one step.
    """
    if transform is None:
        return None, None
    steps = list(_steps(transform))
    first = [step for step in steps if _is_geometry(step)]
    rest = [step for step in steps if not _is_geometry(step)]
    if not first or not rest:
        return (transform, None) if first else (None, transform)
    compose: Any = type(transform) if hasattr(transform, "transforms") else Compose
    return compose(first), compose(rest)


def _steps(transform: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield all steps that a transform calls one after the other; other transforms choose among theirs."""
    name = type(transform).__name__
    steps = (
        getattr(transform, "transforms", None) if name == "Compose" else transform if name == "Sequential" else None
    )
    if not isinstance(steps, Iterable):
        yield transform
        return
    for step in steps:
        yield from _steps(step)


def _is_geometry(step: object) -> bool:
    return "Crop" in type(step).__name__ or "Resize" in type(step).__name__
