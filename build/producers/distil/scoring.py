"""Scores of a segmenter on pairs that were held back, and a sheet of what it sees in some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fornet_hf.evaluation.masks.agreement import FIGURES
from producers.distil.squares import cut
from producers.distil.store import Layers, PairStore
from producers.segment.networks.card import Card
from producers.training.sheets import write_halves

if TYPE_CHECKING:
    import torch

_SHOWN = 12  # pairs of a sheet, in two columns


@dataclass(frozen=True)
class Predictor:
    """Gives probabilities of the object.

    Attributes:
        network: gives logits.
        card: says how colours are normalised.
        device: of the network.
        precision: a type of torch in which products are computed; None: that of the weights.
    """

    network: Any
    card: Card
    device: Any
    precision: Any = None

    def chances(self, squares: Layers) -> npt.NDArray[np.float32]:
        """Return n x side x side, float32 from 0 to 1, for layers of n x side x side x 3 or more.

        It is NaN where the logit is no number, as it is of a network that a step has ruined.
        """
        import torch

        from producers.segment.networks.pixels import normalized, object_logits

        images = torch.from_numpy(np.ascontiguousarray(squares[..., :3])).to(self.device).permute(0, 3, 1, 2)
        with torch.inference_mode(), self._autocast():
            logits = object_logits(self.network(normalized(images, self.card))).float()
            chances = torch.where(logits.isfinite(), logits.sigmoid(), torch.nan)
            found: npt.NDArray[np.float32] = chances.cpu().numpy()
        return found

    def _autocast(self) -> torch.autocast:
        import torch

        return torch.autocast(torch.device(self.device).type, self.precision, enabled=self.precision is not None)


def counted(predictor: Predictor, store: PairStore, numbers: Sequence[int], batch: int) -> npt.NDArray[np.float64]:
    """Return the pixels tp, fp, fn and tn of the central squares of some pairs, all together.

    They are NaN if the network does not give numbers.
    """
    total = np.zeros(4, np.float64)
    side, threshold = predictor.card.side, predictor.card.threshold
    for start in range(0, len(numbers), batch):
        squares = np.stack([cut(store.layers(int(one)), side) for one in numbers[start : start + batch]])
        chances = predictor.chances(squares)
        if np.isnan(chances).any():
            return np.full(4, np.nan)
        found, true = chances > threshold, squares[..., 3] > 0
        both, ours, theirs = (np.count_nonzero(one) for one in (found & true, found, true))
        total += both, ours - both, theirs - both, found.size - ours - theirs + both
    return total


def scores(counts: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the figures of pixels that were counted together; those of 0 / 0 are 0."""
    return {name: round(float(figure(counts, 0.0)), 6) for name, figure in FIGURES.items()}


def write_sheet(
    path: Path, predictor: Predictor, store: PairStore, numbers: Sequence[int], said: Mapping[str, Any]
) -> None:
    """Draw image, truth and prediction of some pairs."""
    chosen = [int(one) for one in numbers[:_SHOWN]]
    squares = np.stack([cut(store.layers(one), predictor.card.side) for one in chosen])
    chances = predictor.chances(squares)
    cells = [
        [Image.fromarray(one) for one in (layers[..., :3], layers[..., 3], (255 * chance).astype(np.uint8))]
        for layers, chance in zip(squares, chances, strict=True)
    ]
    write_halves(path, ["image", "truth", "prediction"], cells, said)
