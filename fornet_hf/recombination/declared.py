"""For transforms of one's own beside masks: say whether they move pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from fornet_hf.errors import ConfigurationError, explain


class ImageOnly:
    """A transform that moves no pixels: the mask stays as it is. `ImageOnly(lambda image: image.convert("L"))`.

    Args:
        transform: called on the image alone.

    Raises:
        ConfigurationError: not a callable.
    """

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        self.transform = _callable(type(self).__name__, transform)

    def __call__(self, image: Any) -> Any:
        """The image, changed."""
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
    """

    def __init__(self, transform: Callable[[Any, Any], tuple[Any, Any]]) -> None:
        self.transform = _callable(type(self).__name__, transform)

    def __call__(self, image: Any, mask: Any = None) -> Any:
        """Image and mask, moved; the image alone if no mask was given.

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
    """A mask of no object, of the image's kind."""
    if isinstance(image, Image.Image):
        return Image.new("L", image.size)
    return (image[..., 0] if type(image).__module__ == "numpy" else image[:1]) * 0
