"""`Alternate`: another mixer from batch to batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from fornet_hf.arguments import plain
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.mixers import BatchMixer, Mixer
from fornet_hf.mixing.steps import Steps, Turn

PROBABILITY, BATCH = BY = ("probability", "batch")
_ALIKE = ("num_classes", "label_smoothing", "bce")


class Alternate(BatchMixer):
    """One of several mixers for each batch; called as they are.

    Args:
        mixers: one or more `FMix`, `CutMix`, `MixUp`, ..., without seeds of their own; None mixes nothing. They
            agree in `num_classes`, `label_smoothing` and `bce`.
        p: with `by="probability"` the probability of each, with a sum of 1; None: all alike.
        by: "probability" draws one for each batch; "batch" takes them in turn.
        off_for_last: epochs at the end of the training in which nothing is mixed; see `MixConfig`.
        seed: see `MixConfig`.
        generator: draw from this, in place of (seed, epoch, step, rank); not in workers of a DataLoader.
        epochs: number of epochs of the training, for `off_for_last`.

    Raises:
        ConfigurationError: a parameter that is not allowed.

    Example:
        >>> import torch
        >>> from fornet_hf.mixing import Alternate, FMix, MixUp
        >>> mix = Alternate([FMix(num_classes=10), MixUp(num_classes=10), None], p=[0.4, 0.4, 0.2], seed=0)
        >>> images, targets = mix(torch.rand(8, 3, 32, 32), torch.arange(8))
        >>> targets.shape
        torch.Size([8, 10])
    """

    def __init__(
        self,
        mixers: Sequence[Mixer | None],
        *,
        p: Sequence[float] | None = None,
        by: str = PROBABILITY,
        off_for_last: float = 0.0,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        epochs: float | None = None,
    ) -> None:
        first = _first(mixers)
        # validated as those of a mixer are
        config = dataclasses.replace(first.config, off_for_last=off_for_last, seed=seed)
        super().__init__(config, Steps("alternate", config.seed, generator, epochs), config.off_for_last)
        nothing = type(first)(config=dataclasses.replace(first.config, p=0.0))
        self.mixers = nn.ModuleList(nothing if mixer is None else mixer for mixer in mixers)
        self.by, self.p = by, _probabilities(p, by, len(mixers))

    def chosen(self, turn: Turn) -> Mixer:
        """Return the mixer of this step."""
        number = turn.step % len(self.mixers) if self.by == BATCH else turn.rng.choice(len(self.mixers), p=self.p)
        return cast("BatchMixer", self.mixers[int(number)]).chosen(turn)

    def extra_repr(self) -> str:
        """Return how the mixers alternate."""
        return f"by={self.by!r}" if self.by == BATCH else f"p={self.p}"


def _first(mixers: Sequence[Mixer | None]) -> Mixer:
    """Return the first mixer; raise ConfigurationError unless all are mixers that go together."""
    found = [mixer for mixer in mixers if mixer is not None]
    if not found or not all(isinstance(mixer, BatchMixer) for mixer in found):
        raise ConfigurationError(
            explain("mixers are not allowed", found=mixers, allowed="mixers or None, not only None")
        )
    if any(mixer.steps.is_seeded for mixer in found):
        what = "a mixer in Alternate has a seed or a generator of its own"
        raise ConfigurationError(explain(what, then="Give the seed to Alternate."))
    for name in _ALIKE:
        values = {getattr(mixer.config, name) for mixer in found}
        if len(values) > 1:
            raise ConfigurationError(
                explain(f"the mixers in Alternate differ in {name}", found=sorted(map(str, values)))
            )
    return found[0]


def _probabilities(p: Sequence[float] | None, by: str, count: int) -> list[float] | None:
    """Return the probabilities of `count` mixers; None: all alike."""
    if by not in BY:
        raise ConfigurationError(explain("by is not allowed", found=repr(by), allowed=", ".join(map(repr, BY))))
    if p is None:
        return None
    values = plain(list(plain(p)))
    numbers = all(isinstance(one, (int, float)) and 0 <= one <= 1 for one in values)
    if by == BATCH or len(values) != count or not numbers or not np.isclose(sum(values), 1.0):
        allowed = f"{count} probabilities with a sum of 1, and by={PROBABILITY!r}"
        raise ConfigurationError(explain("p is not allowed", found=f"{p!r} and by={by!r}", allowed=allowed))
    return [one / sum(values) for one in values]
