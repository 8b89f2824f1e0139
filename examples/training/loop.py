"""An epoch of training, and an evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from fornet_hf import Compositor, DeviceLoader
from fornet_hf.mixing.calling import BatchMixer
from training.augment import MEAN, STD, normalized
from training.config import TrainConfig
from training.processes import Place, summed


@dataclass
class Trainer:
    """The model of a run, and all that an epoch needs.

    Attributes:
        config: the run's configuration.
        here: this process's place.
        model: trained; wrapped for several processes where there are any.
        bare: the same without wrapping: what is evaluated and stored.
        optimizer: of the model.
        mix: called on images, labels and, where there are any, masks of a batch; or None.
        report: called with a line for people.
        check: called between steps; raises what ends the run.
    """

    config: TrainConfig
    here: Place
    model: nn.Module
    bare: nn.Module
    optimizer: torch.optim.Optimizer
    mix: Callable[..., Any] | None
    report: Callable[[str], None]
    check: Callable[[], None]

    def train(self, loader: DataLoader[Any], epoch: int) -> dict[str, float]:
        """Train for one epoch, from 0; return its mean loss and its speed."""
        self.model.train()
        if isinstance(self.mix, BatchMixer):
            self.mix.set_epoch(epoch, self.config.epochs)
        torch.manual_seed(seed_of(self.config.seed, epoch, self.here.rank))  # of dropout, MixUp and the workers
        criterion = nn.CrossEntropyLoss(label_smoothing=self.config.label_smoothing)
        total = torch.zeros((), device=self.here.device)
        started, batches = time.perf_counter(), Timed(self._on_device(loader))
        quiet = None if self.here.is_first else True  # None: unless somebody watches
        steps = tqdm(batches, desc=f"epoch {epoch + 1}", total=len(loader), leave=False, disable=quiet)
        for step, batch in enumerate(steps):
            self.check()
            rate = learning_rate(self.config, epoch + step / len(loader))
            images, labels, *masks = batch
            if self.mix is not None:
                images, labels, *_ = self.mix(images, labels, *masks)
            with self._autocast():
                loss = criterion(self.model(images), labels)
            self._update(loss, rate)
            total += loss.detach()
        mean = summed(total / len(loader)).item() / self.here.world
        seconds = time.perf_counter() - started
        return {
            "train_loss": mean,
            "lr": rate,
            "images_per_second": len(loader) * self.config.batch_size / seconds,
            "waiting_for_data": batches.waited / seconds,
        }

    def evaluate(self, loader: DataLoader[Any]) -> dict[str, float]:
        """Return accuracy among the first 1 and 5 guesses, 0 to 1, and loss, over all processes."""
        self.bare.eval()
        sums = torch.zeros(4, dtype=torch.float64, device=self.here.device)
        with torch.inference_mode():
            for batch in loader:
                self.check()
                images, labels = self._moved(batch)
                with self._autocast():
                    scores = self.bare(images).float()
                guesses = scores.topk(min(5, scores.shape[1])).indices == labels[:, None]
                loss = nn.functional.cross_entropy(scores, labels, reduction="sum")
                counts = (guesses[:, 0].sum(), guesses.sum(), loss, torch.tensor(len(labels)))
                sums += torch.stack([count.to(sums) for count in counts])
        top1, top5, loss, count = summed(sums).tolist()
        return {"top1": top1 / count, "top5": top5 / count, "loss": loss / count}

    def _on_device(self, loader: DataLoader[Any]) -> Iterable[Sequence[torch.Tensor]]:
        """Return batches on this process's device, as of `_moved`; composed there if that was deferred."""
        if self.config.defer is None:
            return map(self._moved, loader)
        composed = DeviceLoader(loader, Compositor(MEAN, STD), self.here.device, composed=True)
        return ([one.images, one.labels, *([] if one.masks is None else [one.masks])] for one in composed)

    def _moved(self, batch: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        """Return normalized images and labels, and masks if there are any, on this process's device."""
        names = [name for name in ("image", "label", "mask") if name in batch]
        images, *others = (batch[name].to(self.here.device, non_blocking=True) for name in names)
        return [normalized(images), *others]

    def _autocast(self) -> torch.autocast:
        on = self.config.precision == "bf16"
        return torch.autocast(self.here.device.type, dtype=torch.bfloat16, enabled=on)

    def _update(self, loss: torch.Tensor, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.config.clip_norm:
            nn.utils.clip_grad_norm_(self.bare.parameters(), self.config.clip_norm)
        self.optimizer.step()


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


def learning_rate(config: TrainConfig, epoch: float) -> float:
    """Return the learning rate at a (fractional) epoch: a linear rise from 0, then half a cosine."""
    if epoch < config.warmup_epochs:
        return config.lr * epoch / config.warmup_epochs
    done = (epoch - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
    return config.min_lr + (config.lr - config.min_lr) * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def seed_of(seed: int, epoch: int, rank: int) -> int:
    """Return a seed for one process in one epoch."""
    return hash((seed, epoch, rank)) % 2**63  # of integers: the same in every process
