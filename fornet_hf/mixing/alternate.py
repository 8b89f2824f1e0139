"""`Alternate`: another mixer from batch to batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn

from fornet_hf.arguments import plain
from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.methods import MixUpConfig
from fornet_hf.mixing.mixers import BatchMixer, Mixer, MixUp
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
        mixers: Sequence[BatchMixer | None],
        *,
        p: Sequence[float] | None = None,
        by: str = PROBABILITY,
        off_for_last: float = 0.0,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        epochs: float | None = None,
    ) -> None:
        alike = _alike(mixers)
        config = MixUpConfig(off_for_last=off_for_last, seed=seed, **alike)  # of all methods: it validates
        super().__init__(config, Steps("alternate", config.seed, generator, epochs), config.off_for_last)
        self.mixers = nn.ModuleList(MixUp(p=0.0, **alike) if mixer is None else mixer for mixer in mixers)
        self.by, self.p = by, _probabilities(p, by, len(mixers))

    def chosen(self, turn: Turn) -> Mixer:
        """Return the mixer of this step."""
        number = turn.step % len(self.mixers) if self.by == BATCH else turn.rng.choice(len(self.mixers), p=self.p)
        return cast("BatchMixer", self.mixers[int(number)]).chosen(turn)

    def extra_repr(self) -> str:
        """Return how the mixers alternate."""
        return f"by={self.by!r}" if self.by == BATCH else f"p={self.p}"


def _alike(mixers: Sequence[BatchMixer | None]) -> dict[str, Any]:
    """Return the parameters that all mixers have alike; raise ConfigurationError unless they go together."""
    found = [mixer for mixer in mixers if mixer is not None]
    if not found or not all(isinstance(mixer, BatchMixer) for mixer in found):
        allowed = "mixers or None, at least one mixer"
        raise ConfigurationError(explain("mixers are not allowed", found=mixers, allowed=allowed))
    if any(mixer.steps.is_seeded for mixer in found):
        what = "a mixer in Alternate has a seed or a generator of its own"
        raise ConfigurationError(explain(what, then="Give the seed to Alternate."))
    for name in _ALIKE:
        if len(values := {getattr(mixer.config, name) for mixer in found}) > 1:
            what = f"the mixers in Alternate differ in {name}"
            raise ConfigurationError(explain(what, found=sorted(map(str, values))))
    return {name: getattr(found[0].config, name) for name in _ALIKE}


def _probabilities(p: Sequence[float] | None, by: str, count: int) -> list[float] | None:
    """Return the probabilities of `count` mixers; None: all alike."""
    if by not in BY:
        raise ConfigurationError(explain("by is not allowed", found=repr(by), allowed=", ".join(map(repr, BY))))
    if p is None:
        return None
    given = plain(p)
    values = list(given) if isinstance(given, (list, tuple)) and len(given) == count else []
    numbers = bool(values) and all(isinstance(one, (int, float)) and 0 <= one <= 1 for one in values)
    if by == BATCH or not numbers or not math.isclose(sum(values), 1.0, abs_tol=1e-6):
        allowed = f"{count} probabilities with a sum of 1, and by={PROBABILITY!r}"
        raise ConfigurationError(explain("p is not allowed", found=f"{p!r} and by={by!r}", allowed=allowed))
    return [one / sum(values) for one in values]
