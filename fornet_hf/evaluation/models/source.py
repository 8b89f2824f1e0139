"""The contract of a library: one of its models, with and without its weights."""

from __future__ import annotations

from typing import Any, Protocol

from fornet_hf.evaluation.models.classifier import Classifier

IMAGENET = 1000
"""Classes of most classifiers: what a network is made with where no other number is known."""


class Source(Protocol):
    """One model of one library."""

    def pretrained(self) -> Classifier:
        """Return it with its weights, fetched if need be."""

    def untrained(self, classes: int | None = None) -> Classifier:
        """Return it with random weights and so many classes; None: as many as it usually has."""

    def network(self, classes: int, **options: Any) -> Any:
        """Return the network alone, with random weights, and with options as the library calls them."""
