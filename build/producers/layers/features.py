"""FID and KID of made images, by `torch-fidelity`, whose Inception network has to be had first.

Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (NeurIPS 2017);
Binkowski et al., "Demystifying MMD GANs" (ICLR 2018). Images of few pixels are scaled up by the network itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.files import atomic_path, sha256_of
from fornet_hf.packages import needing
from fornet_hf.progress import progress
from producers.layers.squares import SquareStore

EXTRACTOR = "inception-v3-compat"
REAL = 50_000
"""Real images that are looked at, at most: the first ones."""

_LAYER = "2048"
_BATCH = 64
_SUBSETS, _SUBSET = 100, 1000  # of KID, as published


class Scorer:
    """Compares made images with the squares of a store.

    The features of the squares are computed once, and kept in `real_features.safetensors`.
    """

    def __init__(self, store: SquareStore, weights: Path | None, device: torch.device) -> None:
        """Load the network.

        Args:
            store: of the real images.
            weights: file of the network's weights, as torch-fidelity publishes them; None: it downloads them.
            device: where to compute.

        Raises:
            MissingDependencyError: torch-fidelity is not installed.
            NotFoundError: there is no such file, or the weights cannot be fetched.
            ConfigurationError: the file is damaged, or of another network.
        """
        self._store, self._device = store, device
        self._extractor = _extractor(weights).to(device)
        origin = "downloaded" if weights is None else sha256_of(weights)
        self._made_of = {"squares": store.index["sha256"], "extractor": EXTRACTOR, "weights": origin}

    def scores(self, made: Iterable[npt.NDArray[np.uint8]]) -> dict[str, float]:
        """Return `fid` and `kid` of made images, in batches of n x side x side x 3: the lower the better."""
        from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
        from torch_fidelity.metric_kid import kid_features_to_metric

        features = self._features(made)
        found = fid_statistics_to_metric(self._statistics, fid_features_to_statistics(features), False)
        size = min(_SUBSET, len(features), len(self.real))
        found |= kid_features_to_metric(
            features, self.real, kid_subsets=_SUBSETS, kid_subset_size=size, rng_seed=0, verbose=False
        )
        fid, kid = found["frechet_inception_distance"], found["kernel_inception_distance_mean"]
        return {"fid": round(float(fid), 4), "kid": round(float(kid), 6)}

    @cached_property
    def real(self) -> torch.Tensor:
        """The features of the squares, float32, n x 2048."""
        path = self._store.folder / "real_features.safetensors"
        known = _kept(path, self._made_of)
        if known is None:
            known = self._features(self._squares())
            with atomic_path(path) as temporary:
                save_file({"features": known}, temporary, self._made_of)
        return known

    @cached_property
    def _statistics(self) -> Any:
        from torch_fidelity.metric_fid import fid_features_to_statistics

        return fid_features_to_statistics(self.real)

    def _squares(self) -> Iterator[npt.NDArray[np.uint8]]:
        numbers = range(min(REAL, len(self._store)))
        for start in progress(numbers[::_BATCH], "features of real images", "batches"):
            yield np.stack([self._store.array(one) for one in numbers[start : start + _BATCH]])

    @torch.inference_mode()
    def _features(self, images: Iterable[npt.NDArray[np.uint8]]) -> torch.Tensor:
        found = [
            self._extractor(torch.from_numpy(batch).to(self._device).permute(0, 3, 1, 2))[0].float().cpu()
            for batch in images
        ]
        return torch.cat(found).clone()


def _kept(path: Path, made_of: dict[str, str]) -> torch.Tensor | None:
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            found: torch.Tensor | None = file.get_tensor("features") if file.metadata() == made_of else None
    except SafetensorError:
        return None  # they are computed anew
    return found


def _extractor(weights: Path | None) -> torch.nn.Module:
    with needing("FID and KID", "torch-fidelity"):
        from torch_fidelity.utils import create_feature_extractor
    if weights is not None:
        _check_weights(weights)
    try:
        found: torch.nn.Module = create_feature_extractor(
            EXTRACTOR,
            [_LAYER],
            cuda=False,
            verbose=False,
            feature_extractor_weights_path=None if weights is None else str(weights),
        )
    except RuntimeError as error:  # of load_state_dict
        if weights is None:
            raise
        what = f"{weights}: no weights of the network for FID and KID"
        raise ConfigurationError(explain(what, found=str(error)[:200])) from error
    except OSError as error:  # also of urllib
        what = "the weights of the network for FID and KID cannot be fetched"
        then = "Fetch the file with `weights-inception` in its name from torch-fidelity's releases: --inception FILE."
        raise NotFoundError(explain(what, found=error, then=then)) from error
    return found


def _check_weights(path: Path) -> None:
    """Raise an error unless the file holds tensors alone, for torch-fidelity would run what a pickle asks for."""
    if not path.is_file():
        raise NotFoundError(explain("--inception", found=f"no file {path}"))
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError) as error:
        what = f"{path}: no weights of the network for FID and KID"
        raise ConfigurationError(explain(what, found=str(error)[:200])) from error
