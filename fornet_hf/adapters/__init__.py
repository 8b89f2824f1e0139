"""Adapters: a pretrained classifier is tuned by few parameters, which merge into its weights afterwards.

    network = tune(network, AdapterConfig(kind="oft", targets=("layer4.*.conv?",)))
    ...                                        # train trainable(network)
    save(network, config, folder)              # what differs from the base, and no more
    plain = merge(restore(base, folder))       # layers and names of the base, as fast as the base

settings    AdapterConfig: the kind, its layers, and what happens to statistics of batches
layers      which layers are the head, and which get an adapter
by_peft     LoRA, by the library peft
orthogonal  rotations of weights
frozen      statistics of batches that do not move
tuning      tune, trainable and merge
files       save and restore
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fornet_hf.packages import lazy

if TYPE_CHECKING:
    from fornet_hf.adapters.files import restore, save
    from fornet_hf.adapters.settings import AdapterConfig
    from fornet_hf.adapters.tuning import merge, mergeable, trainable, tune

_HOMES = {
    "AdapterConfig": "settings",
    "merge": "tuning",
    "mergeable": "tuning",
    "restore": "files",
    "save": "files",
    "trainable": "tuning",
    "tune": "tuning",
}

__all__ = ["AdapterConfig", "merge", "mergeable", "restore", "save", "trainable", "tune"]

__getattr__, __dir__ = lazy(__name__, _HOMES)
