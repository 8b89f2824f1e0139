"""All that decides on a classifier's answers: the name of what is kept of them, which no other answers may have."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fornet_hf import __version__
from fornet_hf.evaluation.answers.device import computing, on_device
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.stimuli.protocol import Stimuli
from fornet_hf.files import atomic_path
from fornet_hf.recombination.draw.rng import generator

if TYPE_CHECKING:
    import torch

_FORMAT = 2
_PROBE = "probe.npy"
_TOLERANCE = 1e-4  # of the largest logit: devices and numbers of threads differ by less, in float32


def folder_of(
    folder: Path, classifier: Classifier, labels: LabelMap, precision: str, device: torch.device, **shown: Any
) -> Path:
    """Return the folder, within another, for a classifier's answers to what is shown (a JSON object).

    Not all that a network computes with is in its weights, structure and code: a threshold may be an attribute. So
    its answer to one image is kept, too, and folders whose network answered otherwise are passed over.
    """
    known = {
        "format": _FORMAT,
        "version": __version__,
        "classifier": [*asdict(classifier.identity).values(), *_code(classifier.network)],
        "preprocessing": asdict(classifier.preprocessing),
        "precision": precision,
        "labels": digest(labels.classes),
        **shown,
    }
    name = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]
    answer = _probed(classifier, device)
    places = (folder / f"{name}-{number}" for number in itertools.count())
    return next(place for place in places if _answered(place / _PROBE, answer))


def what_is_shown(stimuli: Stimuli) -> list[str]:
    """Return all that decides on the images of stimuli, and on what is a right answer."""
    return [stimuli.fingerprint, digest(stimuli.labels, stimuli.keys), *stimuli.conditions]


def digest(array: npt.NDArray[Any], names: Sequence[str] = ()) -> str:
    """Return the SHA-256 of an array's bytes, and of names."""
    result = hashlib.sha256(np.ascontiguousarray(array).tobytes())
    for name in names:
        result.update(name.encode("utf-8", "surrogatepass") + b"\0")  # file names may be any bytes
    return result.hexdigest()


def _code(network: Any) -> Iterator[str]:
    """Yield what tells networks of the same weights from each other: their structure and their code, where known."""
    import torch

    if isinstance(network, torch.nn.Module):
        yield repr(network)
    try:
        yield inspect.getsource(network if inspect.isfunction(network) else type(network))
    except (OSError, TypeError):  # made at a prompt
        yield type(network).__qualname__


def _probed(classifier: Classifier, device: torch.device) -> npt.NDArray[np.float32]:
    """Return the logits of an image of noise; nothing of the network or of torch is another afterwards."""
    import torch

    side = classifier.preprocessing.size
    image = torch.from_numpy(generator("probe").random((1, 3, side, side), np.float32))
    everywhere = range(torch.cuda.device_count())
    with on_device([classifier.network], device), computing(device, "float32"), torch.random.fork_rng(everywhere):
        torch.manual_seed(0)  # some networks draw
        logits: npt.NDArray[np.float32] = classifier.logits(image.to(device)).cpu().numpy()
    return logits


def _answered(path: Path, answer: npt.NDArray[np.float32]) -> bool:
    """Return whether this answer is kept in a file; it is from now on if there is none."""
    if not path.exists():
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, answer)
        return True
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    largest = np.abs(kept[np.isfinite(kept)]).max(initial=0)
    same = kept.shape == answer.shape and np.allclose(kept, answer, 0, _TOLERANCE * largest, equal_nan=True)
    return bool(same)
