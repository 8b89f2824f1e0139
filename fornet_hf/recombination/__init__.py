"""Recombination: an object at a new place, size and background, whenever it is looked at.

config       what is varied, and how much
sampling     draws one Composition: numbers, no pixels
compositing  pixels from a Composition: no randomness
transform    `Recombine`, the callable for `ds.set_transform`
streaming    the same for streamed datasets
dataset      datasets with an epoch
epochs       the epoch, told to all parts of a dataset
tensors      images as torch tensors
moving       masks that follow their images through the user's transform
batches      `collate`, for DataLoaders
"""

from __future__ import annotations

from fornet_hf.recombination.batches import collate
from fornet_hf.recombination.dataset import PreparedDataset, as_prepared
from fornet_hf.recombination.declared import ImageAndMask, ImageOnly
from fornet_hf.recombination.draw.composition import Composition
from fornet_hf.recombination.draw.configuration import CropConfig, RecombinationConfig
from fornet_hf.recombination.draw.sampling import draw
from fornet_hf.recombination.epochs import set_epoch
from fornet_hf.recombination.pixels.compositing import compose
from fornet_hf.recombination.pixels.tensors import to_tensor
from fornet_hf.recombination.pools.arrow import BackgroundPool
from fornet_hf.recombination.streaming import StreamingRecombine, recombine_stream
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
]
