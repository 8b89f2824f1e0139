"""`Alternate`: another mixer from batch to batch; and mixers from their configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.mixing.alternation import BATCH, PROBABILITY, AlternateConfig, AnyConfig
from fornet_hf.mixing.backgrounds import BackgroundMix
from fornet_hf.mixing.calling import BatchMixer, Method
from fornet_hf.mixing.mixers import CutMix, FMix, Mixer, MixUp
from fornet_hf.mixing.steps import Steps, Turn


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

    config: AlternateConfig

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
        for mixer in mixers:
            if mixer is not None and not isinstance(mixer, BatchMixer):
                raise ConfigurationError(explain("mixers are not allowed", found=mixers, allowed="mixers or None"))
        if any(mixer.steps.is_seeded for mixer in mixers if mixer is not None):
            what = "a mixer in Alternate has a seed or a generator of its own"
            raise ConfigurationError(explain(what, then="Give it to Alternate."))
        methods = tuple(None if mixer is None else mixer.config for mixer in mixers)
        config = AlternateConfig(methods=methods, p=p, by=by, off_for_last=off_for_last, seed=seed)  # type: ignore[arg-type]
        super().__init__(config, Steps(config.method, config.seed, generator, epochs), config.off_for_last)
        self.mixers = nn.ModuleList(MixUp(p=0.0, **config.alike) if mixer is None else mixer for mixer in mixers)

    def chosen(self, turn: Turn) -> Method:
        """Return the method of this step."""
        count, p = len(self.mixers), self.config.p
        if self.config.by == BATCH:
            number = turn.step % count
        else:
            number = int(turn.rng.choice(count, p=None if p is None else np.divide(p, sum(p))))
        # A mixer that alternates itself counts its own turns: another one each time.
        return cast("BatchMixer", self.mixers[number]).chosen(turn._replace(step=turn.step // count))

    def extra_repr(self) -> str:
        """Return how the mixers alternate."""
        return f"by={self.config.by!r}" if self.config.by == BATCH else f"p={self.config.p}"


def mixer_of(
    config: AnyConfig, *, generator: torch.Generator | None = None, epochs: float | None = None
) -> BatchMixer:
    """Return the mixer of a configuration, such as one from a run's JSON.

    Args:
        config: of a method, or of several that alternate.
        generator: see `FMix`.
        epochs: see `FMix`.

    Raises:
        ConfigurationError: anything else.

    Example:
        >>> from fornet_hf.mixing import MixConfig, mixer_of
        >>> mixer_of(MixConfig.from_json({"method": "cutmix", "num_classes": 10, "seed": 0}))
        CutMix(num_classes=10, seed=0)
    """
    if isinstance(config, AlternateConfig):
        return Alternate(
            [None if one is None else mixer_of(one) for one in config.methods],
            p=config.p,
            by=config.by,
            off_for_last=config.off_for_last,
            seed=config.seed,
            generator=generator,
            epochs=epochs,
        )
    kinds: tuple[type[Mixer], ...] = (FMix, CutMix, MixUp, BackgroundMix)
    kind = {kind.kind: kind for kind in kinds}.get(type(config))
    if kind is None:
        allowed = ", ".join(kind.kind.__name__ for kind in kinds)
        raise ConfigurationError(explain("config is not allowed", found=repr(config), allowed=allowed))
    return kind(config=config, generator=generator, epochs=epochs)
