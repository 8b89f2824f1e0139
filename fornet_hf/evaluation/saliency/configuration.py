"""Settings of saliency, validated here, once, for every way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fornet_hf.errors import ConfigurationError, explain

GRADCAM, GRADCAM_PLUS_PLUS, INTEGRATED_GRADIENTS = "gradcam", "gradcam++", "integrated_gradients"
METHODS = (GRADCAM, GRADCAM_PLUS_PLUS, INTEGRATED_GRADIENTS)
BASELINES = ("black", "mean")
SIGNS = ("absolute", "positive")
EXPLAINED = ("label", "prediction")


@dataclass(frozen=True, kw_only=True)
class SaliencyConfig:
    """Settings of saliency.

    Attributes:
        methods: one of `METHODS` or several, none twice.
        explained: the class whose logit is explained: the image's "label", or the classifier's "prediction". Of
            several outputs that mean the label, it is the highest.
        layer: whose output class activation maps are made of, as `named_modules` calls it; None: see
            `fornet_hf.evaluation.saliency.layers`.
        steps: points between baseline and image at which integrated gradients looks, 1 or more.
        baseline: image without information that integrated gradients starts from: "black", or "mean": the mean
            colour that the classifier's preprocessing subtracts.
        sign: importance of a pixel whose attributions, summed over its colours, are negative: their "absolute"
            value; or none, as only "positive" ones count.
    """

    methods: Sequence[str] = METHODS
    explained: str = "label"
    layer: str | None = None
    steps: int = 50
    baseline: str = "black"
    sign: str = "absolute"

    def __post_init__(self) -> None:
        methods = [self.methods] if isinstance(self.methods, str) else self.methods
        object.__setattr__(self, "methods", tuple(methods))  # from JSON it is a list
        if not self.methods or len(set(self.methods)) < len(self.methods) or not set(self.methods) <= set(METHODS):
            _refuse("methods", list(self.methods), f"some of {', '.join(METHODS)}, none twice")
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            _refuse("steps", self.steps, "a whole number from 1")
        for name, allowed in (("explained", EXPLAINED), ("baseline", BASELINES), ("sign", SIGNS)):
            if getattr(self, name) not in allowed:
                _refuse(name, repr(getattr(self, name)), " or ".join(allowed))


def _refuse(name: str, found: object, allowed: str) -> None:
    raise ConfigurationError(explain(f"saliency.{name} is not allowed", found=found, allowed=allowed))
