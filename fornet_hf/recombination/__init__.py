"""Recombination: an object at a new place, size and background, whenever it is looked at.

draw/        configuration, clock and draws of a Composition: numbers, no pixels
pixels/      pixels from a Composition: no randomness
pools/       where backgrounds come from
device/      the same compositions on tensors, on a GPU
recombiner   from rows to examples, wherever the backgrounds are
transform    `Recombine`, the callable for `ds.set_transform`
streaming    the same for streamed datasets
dataset      datasets with an epoch; `epochs` tells it to all parts of one
hooks        the user's transforms around a recombination
kinds        which of their steps move pixels; `joint` lets masks follow
tensors      images and batches as torch tensors
"""

from __future__ import annotations

from fornet_hf.recombination.dataset import PreparedDataset, as_prepared
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import CropConfig, RecombinationConfig
from fornet_hf.recombination.draw.sampling import draw
from fornet_hf.recombination.epochs import set_epoch
from fornet_hf.recombination.kinds import ImageAndMask, ImageOnly
from fornet_hf.recombination.pixels.compositing import compose
from fornet_hf.recombination.pools.arrow import BackgroundPool
from fornet_hf.recombination.streaming import StreamingRecombine, recombine_stream
from fornet_hf.recombination.tensors import collate, to_tensor, to_uint8
from fornet_hf.recombination.transform import Recombine

__all__ = [
    "BackgroundPool",
    "Composition",
    "CropConfig",
    "ImageAndMask",
    "ImageOnly",
    "PreparedDataset",
    "RecombinationConfig",
    "Recombine",
    "StreamingRecombine",
    "as_prepared",
    "collate",
    "compose",
    "draw",
    "recombine_stream",
    "set_epoch",
    "to_tensor",
    "to_uint8",
]
