"""The JPEGs of a batch decoded: on a GPU by torchcodec or torchvision, which call nvJPEG, else by Pillow.

GPUs repeat the chroma of 4:2:0 where libjpeg, and so Pillow, interpolates it: see `Compositor` for what that changes.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fornet_hf.errors import ConfigurationError, MissingDependencyError, explain
from fornet_hf.packages import needing
from fornet_hf.recombination.device.batch import Batch, Code
from fornet_hf.recombination.pixels.decoding import ImageError
from fornet_hf.recombination.pixels.decoding import decoded as by_pillow

TORCHCODEC, TORCHVISION, PILLOW = DECODERS = ("torchcodec", "torchvision", "pillow")
Decoder = Callable[[list[Tensor], torch.device], list[Tensor]]


def with_decoded(batch: Batch, decoder: str | None = None) -> Batch:
    """Return the batch with the pixels of its JPEGs behind its buffer, each 3 x height x width.

    An image that the GPU's decoder refuses is decoded by Pillow, with a warning.

    Args:
        batch: on whatever device.
        decoder: one of `DECODERS`; None: as `decoder_for` chooses.

    Raises:
        MissingDependencyError: the decoder is not installed.
        SourceError: a JPEG is damaged.
    """
    if batch.codes is None:
        return batch
    name = decoder or decoder_for(batch.device)
    images = _decoded(batch, name)
    return replace(batch, flat=torch.cat([batch.flat, *(image.reshape(-1) for image in images)]))


def decoder_for(device: torch.device) -> str:
    """Return the decoder that is used on a device: Pillow on the CPU, and on a GPU what is installed for it.

    Raises:
        MissingDependencyError: nothing is installed for the GPU.
    """
    if device.type != "cuda":
        return PILLOW
    for name in (TORCHCODEC, TORCHVISION):
        try:
            _by_package(name)
        except MissingDependencyError:
            continue
        return name
    what, then = 'defer="jpeg" needs a decoder for the GPU', "Install one: pip install torchcodec. Or defer pixels."
    raise MissingDependencyError(explain(what, then=then))


def check_decoder(name: str | None) -> None:
    """Let nothing pass but None and `DECODERS`.

    Raises:
        ConfigurationError: another name.
    """
    if name is not None and name not in DECODERS:
        allowed = ", ".join(DECODERS)
        raise ConfigurationError(explain("decoder is not allowed", found=repr(name), allowed=allowed))


def _decoded(batch: Batch, name: str) -> list[Tensor]:
    codes = list(torch.split(_codes(batch), [code.length for code in batch.jpegs]))
    if name == PILLOW:
        return [_one_by_pillow(batch, code, data) for code, data in zip(batch.jpegs, codes, strict=True)]
    decode = _by_package(name)
    if batch.device.type == "cuda":
        # The hardware engine does not wait for the stream that it is given: what the stream still reads might lie in
        # memory that is handed out anew for these images.
        torch.cuda.current_stream(batch.device).synchronize()
    try:
        images = decode(codes, batch.device)
    except RuntimeError:
        images = _one_by_one(batch, codes, decode, name)
    for code, image in zip(batch.jpegs, images, strict=True):
        if tuple(image.shape) != (3, *code.size[::-1]):
            found, allowed = f"{tuple(image.shape)} of {name}", f"3 x {code.size[1]} x {code.size[0]}"
            raise ImageError(explain("a JPEG has another size than it says", found=found, allowed=allowed)).at(
                _where(batch, code)
            )
    return images


def _one_by_one(batch: Batch, codes: list[Tensor], decode: Decoder, name: str) -> list[Tensor]:
    """Decode images one by one, by Pillow where the decoder fails."""
    images, refused = [], []
    for code, data in zip(batch.jpegs, codes, strict=True):
        try:
            images += decode([data], batch.device)
        except RuntimeError as error:
            images.append(_one_by_pillow(batch, code, data))
            refused.append(f"{_where(batch, code)}: {error}")
    if refused:
        what = f"{name} on {batch.device} cannot decode images, so Pillow does"
        found = f"{len(refused)} of {len(codes)}, the first of them {refused[0]}"
        warnings.warn(explain(what, found=found), stacklevel=2)
    return images


def _one_by_pillow(batch: Batch, code: Code, data: Tensor) -> Tensor:
    try:
        image = by_pillow(data.numpy().tobytes())
    except ImageError as error:
        raise error.at(_where(batch, code)) from error
    return torch.from_numpy(np.asarray(image).transpose(2, 0, 1).copy()).to(batch.device)


def _where(batch: Batch, code: Code) -> str:
    """Return which image it is, for messages."""
    keys = batch.columns.get("key")
    return f"{code.layer} of image {code.image} of the batch" + (f" ({keys[code.image]})" if keys else "")


def _codes(batch: Batch) -> Tensor:
    if batch.codes is None:
        raise TypeError("this batch has no JPEGs")
    return batch.codes


def _by_package(name: str) -> Decoder:
    """Return the function of torchcodec or torchvision that decodes a list.

    Raises:
        MissingDependencyError: it is not installed, too old, or does not load.
    """
    home = {TORCHCODEC: "torchcodec.decoders", TORCHVISION: "torchvision.io"}[name]
    with needing(f"the decoder {name}", name):
        try:
            module: Any = importlib.import_module(home)
            function, mode = module.decode_jpeg, module.ImageReadMode.RGB
        except (AttributeError, OSError, RuntimeError) as error:  # without decode_jpeg; without a library of its own
            raise ImportError(f"{name}: {error}") from error

    def decode(codes: list[Tensor], device: torch.device) -> list[Tensor]:
        images: list[Tensor] = function(codes, mode=mode, device=device)
        return images

    return decode
