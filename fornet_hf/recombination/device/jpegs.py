"""The JPEGs of a batch decoded, on its device where torchvision can, else on the CPU."""

from __future__ import annotations

import importlib
from dataclasses import replace
from itertools import starmap
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fornet_hf.errors import INSTALL, MissingDependencyError, explain
from fornet_hf.recombination.device.batch import Batch
from fornet_hf.recombination.pixels.decoding import decoded as on_cpu


def with_decoded(batch: Batch) -> Batch:
    """Return the batch with the pixels of its JPEGs behind its buffer, each 3 x height x width.

    Raises:
        MissingDependencyError: the batch is on a GPU, and torchvision is missing.
    """
    if batch.codes is None:
        return batch
    decode = _by_torchvision if batch.device.type == "cuda" else _by_pillow
    images = decode(list(torch.split(batch.codes, list(batch.lengths))), batch.device)
    parts = [batch.flat, *(part for image in images for part in _filled_up(image))]
    return replace(batch, flat=torch.cat(parts))


def _filled_up(image: Tensor) -> tuple[Tensor, ...]:
    """Return the bytes, and as many more as make the number one of whole words."""
    flat = image.reshape(-1)
    return (flat, flat.new_zeros(-len(flat) % 4)) if len(flat) % 4 else (flat,)


def _by_torchvision(codes: list[Tensor], device: torch.device) -> list[Tensor]:
    try:
        io: Any = importlib.import_module("torchvision.io")
    except ImportError as error:
        raise MissingDependencyError(explain('defer="jpeg" needs torchvision on a GPU', then=INSTALL)) from error
    images: list[Tensor] = io.decode_jpeg(codes, mode=io.ImageReadMode.RGB, device=device)
    return images


def _by_pillow(codes: list[Tensor], device: torch.device) -> list[Tensor]:
    images = (np.asarray(on_cpu(data.numpy().tobytes())) for data in codes)
    return list(starmap(torch.Tensor.to, ((torch.from_numpy(i.transpose(2, 0, 1).copy()), device) for i in images)))
