"""Images as torch tensors. Only this module needs torch."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fornet_hf.errors import INSTALL, MissingDependencyError, explain
from fornet_hf.recombination.pixels.scaling import ONE_BLOCK, shared_pixels

if TYPE_CHECKING:
    from torch import Tensor


def is_tensor(value: object) -> bool:
    """Whether it is a torch tensor; torch is not loaded for that."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def mask_tensor(mask: Image.Image) -> Tensor:
    """A mask (mode "L") as uint8 tensor of 1 x height x width, 0 to 255."""
    tensor: Tensor = importlib.import_module("torch").from_numpy(np.array(mask)[None])
    return tensor


def to_tensor(image: Image.Image) -> Tensor:
    """An image as float32 tensor of 3 x height x width, 0 to 1: `Recombine(ds, transform=to_tensor)`.

    The same as torchvision's `ToTensor` gives for RGB, in two thirds of its time.

    Raises:
        MissingDependencyError: torch is not installed.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise MissingDependencyError(explain("to_tensor needs torch", then=INSTALL)) from error
    if image.mode != "RGB":
        image = image.convert("RGB")
    if image.width * image.height > ONE_BLOCK:
        pixels = torch.from_numpy(np.array(image))
    else:
        pixels = shared_pixels(torch, image)[0, :, :, :3]
    tensor: Tensor = torch.empty((3, image.height, image.width), dtype=torch.float32)
    return tensor.copy_(pixels.permute(2, 0, 1)).div_(255)
