"""A mixer as callback of Lightning."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import MutableMapping
from typing import Any

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.calling import BatchMixer
from fornet_hf.packages import needing

_NAMES = (
    "lightning",
    "pytorch_lightning",
)  # two names of one package, each with classes of its own


def _base() -> Any:
    """Return the class of callbacks of the Lightning that is in use, else of the first that is installed."""
    with needing("MixCallback", "lightning"):
        loaded = [name for name in _NAMES if sys.modules.get(name)]
        name = (loaded or list(filter(importlib.util.find_spec, _NAMES)) or _NAMES)[0]
        return importlib.import_module("lightning.pytorch" if name == "lightning" else name).Callback


class MixCallback(_base()):  # type: ignore[misc]
    """Mixes each batch of a training with Lightning, before `training_step` sees it.

    Give `Trainer(callbacks=[MixCallback(FMix(num_classes=1000, seed=0))])`. The draws follow Lightning's epoch and
    batch, also where a training goes on after an interruption.

    Args:
        mix: `FMix`, `Alternate` or any other mixer. Batches are dicts with `image` and `label`, or lists of images
            and labels, as `default_collate` makes them.

    Raises:
        ConfigurationError: a batch of another kind.
    """

    def __init__(self, mix: BatchMixer) -> None:
        super().__init__()
        self.mix = mix

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Tell the mixer the epoch."""
        known = trainer.max_epochs is not None and trainer.max_epochs > 0  # -1: endless
        self.mix.set_epoch(trainer.current_epoch, trainer.max_epochs if known else None)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Mix a batch, in place: Lightning takes no other from a callback."""
        if not isinstance(batch, (MutableMapping, list)):
            then = "In place of the callback return mix(*batch) from your module's on_after_batch_transfer."
            what, allowed = "a callback cannot change this batch", "a dict or a list"
            raise ConfigurationError(explain(what, found=type(batch).__name__, allowed=allowed, then=then))
        mixture = self.mix(batch, step=batch_idx)
        if isinstance(batch, list):
            batch[:] = mixture
        else:
            batch.update(mixture)
