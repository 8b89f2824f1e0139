"""Settings of bounds that are learned, validated here, once, for every way in."""

from __future__ import annotations

from dataclasses import dataclass

from fornet_hf.arguments import is_integer, is_number, require

MINE, INFONCE = "mine", "infonce"
ESTIMATORS = (MINE, INFONCE)
SEPARABLE, BILINEAR, CONCATENATED, IMAGES = "separable", "bilinear", "concatenated", "images"
CRITICS = (SEPARABLE, BILINEAR, CONCATENATED, IMAGES)
_LEAST = {"width": 1, "batch": 3, "others": 1, "steps": 1, "every": 1, "patience": 1, "folds": 2, "seed": 0}


@dataclass(frozen=True, kw_only=True)
class EstimatorConfig:
    """Settings of a bound that is learned.

    Attributes:
        estimator: "mine" or "infonce"; see `fornet_hf.evaluation.independence.bounds`.
        critic: the network that scores pairs: "separable", "bilinear" or "concatenated" for vectors, "images" for
            images with an area; see `fornet_hf.evaluation.independence.critics`.
        width: of its hidden layers, 1 or more.
        batch: rows in a batch, at most, 3 or more. InfoNCE says at most the logarithm of it.
        others: rows of the batch that each row is compared with beside its own, 1 or more; None: all, which only
            separable and bilinear critics do at no price. InfoNCE says at most the logarithm of one more.
        steps: of training, at most, 1 or more.
        rate: the first learning rate, above 0; it falls to 0 with the steps.
        average: weight of a batch in the moving average that corrects MINE's gradient, above 0 to 1.
        every: steps between two looks at the rows kept for stopping, 1 or more.
        patience: looks without a better one after which training stops, 1 or more.
        folds: parts of the rows, 2 or more; the rows of each are scored by a critic that learned from the others.
        seed: of parts, weights and batches, 0 or more.
        device: of the critic, as torch calls it; None: a GPU if there is one.

    Raises:
        ConfigurationError: a value is not allowed.
    """

    estimator: str = INFONCE
    critic: str = SEPARABLE
    width: int = 128
    batch: int = 512
    others: int | None = None
    steps: int = 1000
    rate: float = 2e-3
    average: float = 0.1
    every: int = 50
    patience: int = 6
    folds: int = 4
    seed: int = 0
    device: str | None = None

    def __post_init__(self) -> None:
        require(self.estimator in ESTIMATORS, "estimator", self.estimator, " or ".join(ESTIMATORS))
        require(self.critic in CRITICS, "critic", self.critic, ", ".join(CRITICS))
        for name, least in _LEAST.items():
            value = getattr(self, name)
            fits = is_integer(value) and value >= least
            require(fits or (name == "others" and value is None), name, value, f"{least} or more")
        require(is_number(self.rate) and self.rate > 0, "rate", self.rate, "above 0")
        require(is_number(self.average) and 0 < self.average <= 1, "average", self.average, "above 0 to 1")
