"""ForNet: images taken apart into foregrounds and backgrounds, and recombined on the fly.

The names below are imported when they are first used, so that a worker which applies patches loads no more than
it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fornet_hf.packages import lazy

if TYPE_CHECKING:
    from fornet_hf import adapters as adapters
    from fornet_hf import evaluation as evaluation
    from fornet_hf import mixing as mixing
    from fornet_hf.builder.load import load_dataset
    from fornet_hf.errors import ForNetError
    from fornet_hf.format.rows import cutout
    from fornet_hf.layout.dataset import ForNetDataset
    from fornet_hf.recombination import (
        Composition,
        CropConfig,
        ImageAndMask,
        ImageOnly,
        RecombinationConfig,
        Recombine,
        StreamingRecombine,
        collate,
        recombine_stream,
        set_epoch,
        to_tensor,
        to_uint8,
    )
    from fornet_hf.recombination.device.ahead import DeviceLoader as DeviceLoader
    from fornet_hf.recombination.device.compositor import Compositor as Compositor

__version__ = "0.1.0"

_HOMES = {
    "Composition": "recombination",
    "Compositor": "recombination.device.compositor",
    "CropConfig": "recombination",
    "DeviceLoader": "recombination.device.ahead",
    "ForNetDataset": "layout.dataset",
    "ForNetError": "errors",
    "ImageAndMask": "recombination",
    "ImageOnly": "recombination",
    "RecombinationConfig": "recombination",
    "Recombine": "recombination",
    "StreamingRecombine": "recombination",
    "collate": "recombination",
    "cutout": "format.rows",
    "load_dataset": "builder.load",
    "recombine_stream": "recombination",
    "set_epoch": "recombination",
    "to_tensor": "recombination",
    "to_uint8": "recombination",
}

# Compositor and DeviceLoader need torch, and `from fornet_hf import *` does not.
__all__ = [
    "Composition",
    "CropConfig",
    "ForNetDataset",
    "ForNetError",
    "ImageAndMask",
    "ImageOnly",
    "RecombinationConfig",
    "Recombine",
    "StreamingRecombine",
    "collate",
    "cutout",
    "load_dataset",
    "recombine_stream",
    "set_epoch",
    "to_tensor",
    "to_uint8",
]

__getattr__, __dir__ = lazy(__name__, _HOMES, modules=("adapters", "evaluation", "mixing"))
