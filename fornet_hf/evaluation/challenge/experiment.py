"""The challenge: the share of foregrounds about which no background deceives the classifier."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.evaluation.answers.answering import Answering
from fornet_hf.evaluation.answers.device import chosen_device, computing, on_device
from fornet_hf.evaluation.answers.identity import folder_of
from fornet_hf.evaluation.answers.parts import FOLDER, Parts, work
from fornet_hf.evaluation.challenge.composites import play
from fornet_hf.evaluation.challenge.outcome import TABLE, Outcome
from fornet_hf.evaluation.challenge.standing import SCHEMA, Numbers, Standing
from fornet_hf.evaluation.challenge.tree import TreeImages, lacking
from fornet_hf.evaluation.configuration import EvaluationConfig
from fornet_hf.evaluation.data.opening import Data
from fornet_hf.evaluation.data.trees import TreeData
from fornet_hf.evaluation.labels.mapping import LabelMap
from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.statistics.bootstrap import Bootstrap
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.packages import needing
from fornet_hf.processes import max_workers
from fornet_hf.ranks import Ranks
from fornet_hf.recombination.draw.rng import generator

if TYPE_CHECKING:
    import torch

_KEPT_EVERY = 30.0  # seconds


def challenge(
    classifier: Classifier,
    label_map: LabelMap,
    images: TreeImages,
    config: EvaluationConfig | None = None,
    folder: Path | None = None,
    ranks: Ranks | None = None,
    *,
    targeted: bool = True,
) -> Outcome:
    """Show each foreground on every background, in an order that the seed draws, until it is decided.

    A foreground is lost as soon as one composite is answered by anything but its class.

    Args:
        classifier: whose own normalising is used; images are not cropped or resized unless its network has another
            size than theirs.
        label_map: from its outputs to the classes of the images.
        images: foregrounds and backgrounds.
        config: seed, batch size, workers, precision and device.
        folder: keeps what is done, where another call goes on, from any number of processes; None: nothing is kept.
        ranks: the processes that share the foregrounds; more than one need a folder.
        targeted: go on until an answer is the class of its background, the paper's stricter count of attacks.

    Raises:
        ConfigurationError: the classifier answers NaN or infinity, or has other outputs than the label map.
        SourceError: the images are not of one size, or cannot be read.
        StorageError: the processes do not see one folder.
    """
    from datasets.utils import tqdm

    config, ranks = config or EvaluationConfig(), ranks or Ranks()
    order = generator("challenge", config.seed).permutation(len(images.backgrounds))
    standing = Standing(len(images.foregrounds), len(order), targeted=targeted)
    with needing("evaluation", "torch"):
        device = chosen_device(config.device)
    known = {"images": images.fingerprint, "seed": config.seed, "targeted": targeted}
    own = folder and folder_of(folder / FOLDER, classifier, label_map, config.precision, device, challenge=known)
    parts = Parts(own, SCHEMA)

    def undecided() -> list[int]:
        for number in parts.numbers():
            if (table := parts.read(number)) is not None:
                standing.add(table)
        return standing.undecided

    def decide(mine: Sequence[int]) -> None:
        answering = Answering(classifier, label_map, config.batch_size, device)

        def answer(foregrounds: Numbers, labels: Numbers, composites: Callable[[slice], torch.Tensor]) -> Numbers:
            asked = answering.ask(labels, composites)
            predicted, _ = asked.answers(lambda place: f"{images.foregrounds[foregrounds[place]]} on a background")
            return predicted.astype(np.int64)

        shown = {"desc": f"{classifier.name}, challenge", "unit": "pairs", "disable": not ranks.first}
        with (
            on_device([classifier.network], device),
            computing(device, config.precision),
            tqdm(total=len(mine) * len(order), **shown) as bar,
        ):
            playing = play(
                images,
                order,
                standing,
                mine,
                answer,
                batch_size=config.batch_size,
                device=device,
                workers=config.workers or max_workers(),
            )
            _follow(playing, standing, mine, bar, lambda: parts.write(ranks.rank, standing.table()))

    work(undecided, decide, ranks)
    return Outcome(images=images, order=order, standing=standing)


def _follow(
    playing: Iterator[None], standing: Standing, mine: Sequence[int], bar: Any, keep: Callable[[], None]
) -> None:
    """Play to the end; keep the standing now and then, and show how far it is."""
    last = time.monotonic()
    numbers = np.array(mine)
    with contextlib.ExitStack() as end:
        end.callback(keep)  # also when it is interrupted
        for _ in playing:
            bar.update(standing.settled(numbers) - bar.n)
            if time.monotonic() - last > _KEPT_EVERY:
                keep()
                last = time.monotonic()


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """The challenge as a measure of `fornet evaluate`.

    Attributes:
        targeted: also count the foregrounds that some background makes the classifier take for its own class.
    """

    targeted: bool = True
    name: str = "challenge"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of its own: none that changes a number."""
        return {}

    def lacks(self, data: Data) -> str:
        """Say which folders the data lack; empty: none."""
        if isinstance(data, TreeData):
            return lacking(data)
        then = "Make them: fornet variants --help"
        return explain("the challenge needs ImageNet-9's folders original, only_bg_t and fg_mask", then=then)

    def unfit(self, classifier: Classifier, config: EvaluationConfig) -> str:
        """Say nothing: any classifier can be challenged."""
        del classifier, config
        return ""

    def run(
        self,
        classifier: Classifier,
        label_map: LabelMap,
        data: Data,
        config: EvaluationConfig,
        folder: Path | None,
        ranks: Ranks | None = None,
    ) -> Sequence[Value]:
        """Return challenge accuracy; `challenge.csv` in the folder has a row for each foreground.

        Raises:
            ConfigurationError: the data lack something.
            ForNetError: as `challenge`.
        """
        if not isinstance(data, TreeData):
            raise ConfigurationError(self.lacks(data))
        images = TreeImages(data)
        outcome = challenge(classifier, label_map, images, config, folder, ranks, targeted=self.targeted)
        if folder and (ranks is None or ranks.first):
            of = {
                "model": classifier.name,
                "weights": classifier.identity.digest,
                "data": data.name,
                "split": data.split,
                "release": data.fingerprint,
                "seed": config.seed,
                "precision": config.precision,
            }
            outcome.write(folder / TABLE, of)
        return outcome.values(Bootstrap(config.seed, config.resamples))
