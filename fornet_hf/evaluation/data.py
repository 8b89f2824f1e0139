"""The data of an evaluation: what is shown to classifiers, wherever it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fornet_hf.evaluation.conditions import Condition
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.stimuli import Stimuli


class Data(Protocol):
    """One split of a set of images."""

    @property
    def name(self) -> str:
        """Name in results: as it was asked for."""

    @property
    def split(self) -> str:
        """Name of the split."""

    @property
    def class_names(self) -> Sequence[str]:
        """Names of the classes in label order."""

    @property
    def fingerprint(self) -> str:
        """Digest of the images and labels."""

    def lacks(self, conditions: Mapping[str, Condition]) -> str:
        """Say why these conditions cannot be shown and what to do about it; empty: they can."""

    def stimuli(self, conditions: Mapping[str, Condition], config: EvaluationConfig) -> Stimuli:
        """Return the images of these conditions.

        Raises:
            ConfigurationError: they cannot be shown; the message is that of `lacks`.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class RowsData:
    """Rows of a ForNet: all conditions can be shown, those of ImageNet-9's variants apart.

    Attributes:
        name: as it was asked for.
        split: of the rows.
        rows: a `datasets.Dataset` of prepared rows, as `fornet_hf.load_dataset` returns it without recombination.
        class_names: names of the classes in label order.
        fingerprint: of the release, or of the rows.
    """

    name: str
    split: str
    rows: Any
    class_names: Sequence[str]
    fingerprint: str

    def lacks(self, conditions: Mapping[str, Condition]) -> str:
        """Say why these conditions cannot be shown; empty: they can."""
        raise NotImplementedError

    def stimuli(self, conditions: Mapping[str, Condition], config: EvaluationConfig) -> Stimuli:
        """Return the images of these conditions."""
        raise NotImplementedError
