"""An epoch of training, and an evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm import tqdm

from fornet_hf import Compositor, DeviceLoader
from fornet_hf.mixing.calling import BatchMixer
from training.augment import colours_of, normalized
from training.config import TrainConfig
from training.data import deferral
from training.processes import Place, alike, summed
from training.schedule import Schedule


@dataclass
class Trainer:
    """The model of a run, and all that an epoch needs.

    Attributes:
        config: the run's configuration.
        here: this process's place.
        model: trained; wrapped for several processes where there are any.
        bare: the same without wrapping: what is evaluated and stored.
        optimizer: of the model.
        schedule: of the learning rate.
        average: of the weights, moved after each step; or None.
        mix: called on images, labels and, where there are any, masks of a batch; or None.
        report: called with a line for people.
        check: called between steps; raises what ends the run.
    """

    config: TrainConfig
    here: Place
    model: nn.Module
    bare: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    average: AveragedModel | None
    mix: Callable[..., Any] | None
    report: Callable[[str], None]
    check: Callable[[], None]

    def train(self, loader: DataLoader[Any], epoch: int) -> dict[str, float]:
        """Train for one epoch, from 0; return its mean loss and its speed."""
        self.model.train()
        if isinstance(self.mix, BatchMixer):
            self.mix.set_epoch(epoch, self.config.epochs)
        torch.manual_seed(seed_of(self.config.seed, epoch, self.here.rank))  # of dropout, MixUp and the workers
        total, count = torch.zeros((), device=self.here.device), len(loader) // self.config.accumulate
        started, timed = time.perf_counter(), Timed(self._on_device(loader))
        batches = iter(timed)
        quiet = None if self.here.is_first else True  # None: unless somebody watches
        for step in tqdm(range(count), desc=f"epoch {epoch + 1}", leave=False, disable=quiet):
            self.check()
            total += self._step(batches, rate := self.schedule.rate(epoch + step / count))
        for _ in batches:  # a rest that fills no step; loading processes end with their work
            pass
        for network in (self.bare, self.average):
            if network is not None:
                alike(network.buffers())
        mean = summed(total / count).item() / self.here.world
        seconds = time.perf_counter() - started
        return {
            "train_loss": mean,
            "lr": rate,
            "images_per_second": count * self.config.batch_size / seconds,
            "waiting_for_data": timed.waited / seconds,
        }

    def _step(self, batches: Iterator[Sequence[torch.Tensor]], rate: float) -> torch.Tensor:
        """Take one step, of `accumulate` batches; return its mean loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.config.accumulate
        total = torch.zeros((), device=self.here.device)
        for part in range(1, parts + 1):
            with nullcontext() if part == parts else self._apart():
                loss = self._loss(*next(batches)) / parts
                loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        if self.config.clip_norm:
            nn.utils.clip_grad_norm_(self.bare.parameters(), self.config.clip_norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.bare)
        return total

    def _loss(self, images: torch.Tensor, labels: torch.Tensor, *masks: torch.Tensor) -> torch.Tensor:
        if self.mix is not None:
            images, labels, *_ = self.mix(images, labels, *masks)
        with self._autocast():
            loss: torch.Tensor = nn.functional.cross_entropy(
                self.model(images), labels, label_smoothing=self.config.label_smoothing
            )
        return loss

    def _apart(self) -> AbstractContextManager[None]:
        """Let gradients add up in this process; the others learn of them with the last part of a step."""
        return self.model.no_sync() if isinstance(self.model, DistributedDataParallel) else nullcontext()

    def evaluate(self, network: nn.Module, loader: DataLoader[Any]) -> dict[str, float]:
        """Return accuracy among the first 1 and 5 guesses, 0 to 1, and loss, over all processes."""
        network.eval()
        sums = torch.zeros(4, dtype=torch.float64, device=self.here.device)
        with torch.inference_mode():
            for batch in loader:
                self.check()
                images, labels = self._moved(batch)
                with self._autocast():
                    scores = network(images).float()
                guesses = scores.topk(min(5, scores.shape[1])).indices == labels[:, None]
                loss = nn.functional.cross_entropy(scores, labels, reduction="sum")
                counts = (guesses[:, 0].sum(), guesses.sum(), loss, torch.tensor(len(labels)))
                sums += torch.stack([count.to(sums) for count in counts])
        top1, top5, loss, count = summed(sums).tolist()
        return {"top1": top1 / count, "top5": top5 / count, "loss": loss / count}

    def _on_device(self, loader: DataLoader[Any]) -> Iterable[Sequence[torch.Tensor]]:
        """Return batches on this process's device, as of `_moved`; composed there if that was deferred."""
        if deferral(self.config, self.here.device) is None:
            return map(self._moved, loader)
        composed = DeviceLoader(loader, Compositor(*colours_of(self.bare)), self.here.device, composed=True)
        return ([one.images, one.labels, *([] if one.masks is None else [one.masks])] for one in composed)

    def _moved(self, batch: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        """Return normalized images and labels, and masks if there are any, on this process's device."""
        names = [name for name in ("image", "label", "mask") if name in batch]
        images, *others = (batch[name].to(self.here.device, non_blocking=True) for name in names)
        return [normalized(images, *colours_of(self.bare)), *others]

    def _autocast(self) -> torch.autocast:
        on = self.config.precision == "bf16"
        return torch.autocast(self.here.device.type, dtype=torch.bfloat16, enabled=on)


class Timed:
    """The batches of a loader; `waited` is how long the loop waited for them, seconds."""

    def __init__(self, loader: Iterable[Any]) -> None:
        self._loader = loader
        self.waited = 0.0

    def __iter__(self) -> Iterator[Any]:
        started = time.perf_counter()
        for batch in self._loader:
            self.waited += time.perf_counter() - started
            yield batch
            started = time.perf_counter()


def seed_of(seed: int, epoch: int, rank: int) -> int:
    """Return a seed for one process in one epoch."""
    return hash((seed, epoch, rank)) % 2**63  # of integers: the same in every process
