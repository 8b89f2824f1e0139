"""Mixing: two images of a batch become one.

masks          FMix masks and lambdas in NumPy alone, for any framework
on_tensors     the same masks in torch, on the CPU and on a GPU
configuration  what masks depend on, validated
spectrum       the frequencies of a mask
ranking        from grey maps to masks of an exact mean
noise          normal noise of a NumPy generator
hashing        the same from a key and counters, equal on every device
methods        the parameters of each method of mixing, validated; `alternation` those of several
draws          what is drawn for a batch: numbers, no pixels
steps          the randomness of each step of a training
applying       a draw applied to images, masks and labels
calling        how a batch of any form is mixed, and its loss
mixers         FMix, CutMix and MixUp; `alternate` takes one of them at a time
backgrounds    FMix of backgrounds alone, around whole objects
lightning      `MixCallback`, a mixer as callback of Lightning, which must be installed
losses         loss and accuracy of a mixed batch
visible        weights that follow the objects
arrays         a draw applied to NumPy arrays, without torch
choosing       methods by the names that commands give them
preview        sheets and animations of mixed pairs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fornet_hf.packages import lazy

if TYPE_CHECKING:
    from fornet_hf.mixing.alternate import Alternate, mixer_of
    from fornet_hf.mixing.alternation import AlternateConfig
    from fornet_hf.mixing.applying import Mixed
    from fornet_hf.mixing.arrays import MixedArrays, mixed_arrays
    from fornet_hf.mixing.backgrounds import BackgroundMix
    from fornet_hf.mixing.draws import Mix, draw
    from fornet_hf.mixing.losses import mixed_accuracy, mixed_loss
    from fornet_hf.mixing.masks import fmix_masks, lambdas
    from fornet_hf.mixing.methods import BackgroundMixConfig, CutMixConfig, FMixConfig, MixConfig, MixUpConfig
    from fornet_hf.mixing.mixers import CutMix, FMix, MixUp

_HOMES = {
    "Alternate": "alternate",
    "AlternateConfig": "alternation",
    "BackgroundMix": "backgrounds",
    "BackgroundMixConfig": "methods",
    "CutMix": "mixers",
    "CutMixConfig": "methods",
    "FMix": "mixers",
    "FMixConfig": "methods",
    "Mix": "draws",
    "MixConfig": "methods",
    "MixUp": "mixers",
    "MixUpConfig": "methods",
    "Mixed": "applying",
    "MixedArrays": "arrays",
    "draw": "draws",
    "fmix_masks": "masks",
    "lambdas": "masks",
    "mixer_of": "alternate",
    "mixed_accuracy": "losses",
    "mixed_arrays": "arrays",
    "mixed_loss": "losses",
}

__all__ = [
    "Alternate",
    "AlternateConfig",
    "BackgroundMix",
    "BackgroundMixConfig",
    "CutMix",
    "CutMixConfig",
    "FMix",
    "FMixConfig",
    "Mix",
    "MixConfig",
    "MixUp",
    "MixUpConfig",
    "Mixed",
    "MixedArrays",
    "draw",
    "fmix_masks",
    "lambdas",
    "mixed_accuracy",
    "mixed_arrays",
    "mixed_loss",
    "mixer_of",
]

__getattr__, __dir__ = lazy(__name__, _HOMES)
