"""Showing images with known foregrounds to a classifier, to see where it looks; a killed run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fornet_hf.evaluation.answers.batches import in_order, items_of, watched_workers
from fornet_hf.evaluation.answers.device import chosen_device
from fornet_hf.evaluation.answers.identity import folder_of, what_is_shown
from fornet_hf.evaluation.answers.parts import FOLDER, Chunks, Parts, work
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from fornet_hf.evaluation.saliency.configuration import SaliencyConfig
from fornet_hf.evaluation.saliency.looking import Looking, Masked
from fornet_hf.evaluation.saliency.shares import Shares, schema
from fornet_hf.packages import needing
from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from fornet_hf.ranks import Ranks

if TYPE_CHECKING:
    import torch

Loaded: TypeAlias = "tuple[int, torch.Tensor, torch.Tensor] | tuple[int, str]"

CHUNK = 256  # images of a file, and most images of a batch
NO_OUTPUT = "no output of the classifier means its class"
NO_FOREGROUND = "no foreground where the classifier sees it"


class Explained(NamedTuple):
    """An image and where a classifier looks.

    Attributes:
        key: of the item.
        label: name of its class.
        image: uint8, 3 x size x size, as the classifier sees it.
        maps: importance of each pixel, float32, size x size, 0 or more, by method.
    """

    key: str
    label: str
    image: npt.NDArray[np.uint8]
    maps: dict[str, npt.NDArray[np.float32]]


def foreground_shares(
    classifier: Classifier,
    label_map: LabelMap,
    stimuli: Masked,
    config: EvaluationConfig | None = None,
    saliency: SaliencyConfig | None = None,
    folder: Path | None = None,
    ranks: Ranks | None = None,
) -> Shares:
    """Return the shares of area and importance that are on the foreground of each item's original image.

    Args:
        classifier: whose importance is asked for, in float32.
        label_map: from its outputs to the classes of the items.
        stimuli: items and masks.
        config: batch size, workers and device.
        saliency: methods and their settings.
        folder: keeps what is done in `folder/.parts`, where another call goes on; None: nothing is kept.
        ranks: the processes that share the work; more than one need a folder that all see.

    Raises:
        ConfigurationError: the device cannot be used, or the classifier answers NaN or has no layer that is needed.
        WorkerDiedError: a worker was killed.
        ForNetError: an item cannot be shown.
    """
    config, saliency, ranks = config or EvaluationConfig(), saliency or SaliencyConfig(), ranks or Ranks()
    with needing("saliency", "torch"):
        device = chosen_device(config.device)
    count = len(stimuli.keys)
    methods = len(saliency.methods)
    shares = Shares.of(count, methods)
    shown = {"stimuli": what_is_shown(stimuli), "saliency": asdict(saliency)}
    own = folder and folder_of(folder / FOLDER, classifier, label_map, "float32", device, **shown)
    items = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    chunks = Chunks(shares, Parts(own, schema(methods)), items)

    def show(numbers: Sequence[int]) -> None:
        looking = Looking(classifier, label_map, stimuli, saliency, device, min(config.batch_size, CHUNK))
        for number in _shown(looking, stimuli, classifier, {one: items[one] for one in numbers}, shares, config):
            chunks.done(number)

    work(chunks.lacking, show, ranks)
    return shares


def examples(
    classifier: Classifier,
    label_map: LabelMap,
    stimuli: Masked,
    config: EvaluationConfig | None = None,
    saliency: SaliencyConfig | None = None,
    *,
    cap: int = 8,
) -> list[Explained]:
    """Return some items and where the classifier looks; a class comes again after all others.

    Args:
        classifier: see `foreground_shares`, as for all but `cap`.
        label_map: likewise.
        stimuli: likewise.
        config: likewise.
        saliency: likewise.
        cap: how many at most.
    """
    import torch

    config, saliency = config or EvaluationConfig(), saliency or SaliencyConfig()
    looking = Looking(classifier, label_map, stimuli, saliency, chosen_device(config.device), config.batch_size)
    found: list[Explained] = []
    with looking.ready():
        for item in by_turns(stimuli.labels):
            seen = stimuli.masked(item, classifier.preprocessing) if looking.means(item) else NO_OUTPUT
            if len(found) == cap:
                break
            if not isinstance(seen, str):
                maps = looking.maps([item], torch.from_numpy(np.ascontiguousarray(seen[0]))[None])
                name = stimuli.class_names[stimuli.labels[item]]
                found.append(Explained(stimuli.keys[item], name, seen[0], {key: one[0] for key, one in maps.items()}))
    return found


def _shown(
    looking: Looking,
    stimuli: Masked,
    classifier: Classifier,
    chunks: dict[int, range],
    shares: Shares,
    config: EvaluationConfig,
) -> Iterator[int]:
    """Show the items of some chunks; yields the number of each when its shares are there."""
    numbers = [item for items in chunks.values() for item in items]
    make = partial(_loaded, stimuli, classifier.preprocessing)
    loader = in_order(make, numbers, config.workers or max_workers())
    with watched_workers(), looking.ready():
        loaded = items_of(progress(loader, f"{classifier.name}, saliency", "items"))
        for number, items in chunks.items():
            for start in range(0, len(items), config.batch_size):
                batch = list(islice(loaded, min(config.batch_size, len(items) - start)))
                _show(looking, batch, shares)
            yield number


def _show(looking: Looking, batch: Sequence[Loaded], shares: Shares) -> None:
    import torch

    seen = []
    for one in batch:
        item = one[0]
        if len(one) == 2:
            shares.reasons[item] = one[1]
        elif not looking.means(item):
            shares.reasons[item] = NO_OUTPUT
        elif not one[2].any():
            shares.reasons[item] = NO_FOREGROUND
        else:
            seen.append(one)
    if seen:
        items, images, masks = zip(*seen, strict=True)
        together = torch.stack(masks)
        shares.area[list(items)] = together.double().mean((1, 2)).numpy()
        shares.importance[list(items)] = looking.shares(items, torch.stack(images), together)


def _loaded(stimuli: Masked, preprocessing: Preprocessing, number: int) -> Loaded:
    import torch

    seen = stimuli.masked(number, preprocessing)
    if isinstance(seen, str):
        return number, seen
    image, mask = (torch.from_numpy(np.ascontiguousarray(one)) for one in seen)
    return number, image, mask


def by_turns(labels: npt.NDArray[np.int64]) -> list[int]:
    """Return the numbers of all items, by their classes: the first of each class, then the second of each, ..."""
    turns: dict[int, int] = {}
    places = []
    for item, label in enumerate(labels.tolist()):
        turns[label] = turns.get(label, -1) + 1
        places.append((turns[label], item))
    return [item for _, item in sorted(places)]
