"""The training of a segmenter: batches made ahead, steps, and now and then an evaluation with a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from fornet_hf.recombination.draw.rng import generator
from producers.distil.configuration import Training
from producers.distil.scoring import Predictor, counted, scores, write_sheet
from producers.distil.squares import Squares
from producers.distil.store import TRAIN, VALIDATION, PairStore
from producers.segment.networks.card import Card
from producers.segment.networks.files import drawn, write_segmenter
from producers.segment.networks.pixels import normalized, object_logits
from producers.training.ahead import ahead
from producers.training.machine import share
from producers.training.run import TrainingRun
from producers.training.visits import Visits

if TYPE_CHECKING:
    from accelerate import Accelerator

SEGMENTER = "segmenter.safetensors"
EARLY = (50, 200)
"""Steps after which predictions are looked at before the first regular evaluation."""

SCORED = 4096
"""Pairs that an evaluation looks at, at most: those of a set such as ImageNet take longer than the steps between."""

Batch = tuple[torch.Tensor, torch.Tensor | None]


@dataclass(frozen=True)
class Outcome:
    """The best evaluation: its step, and its scores."""

    step: int
    scores: Mapping[str, float]

    def summary(self) -> str:
        """Return a line for people."""
        return f"best after step {self.step}: " + ", ".join(f"{name} {one:.4f}" for name, one in self.scores.items())


@dataclass
class Trainer:
    """A training on one or several processes.

    Attributes:
        training: its configuration.
        store: of the pairs.
        run: its folder.
        machine: distributes it.
        trained: what the card is to say about the pairs.
    """

    training: Training
    store: PairStore
    run: TrainingRun
    machine: Accelerator
    trained: Mapping[str, Any]

    def __post_init__(self) -> None:
        config = self.training
        state = self.run.restore()
        network = drawn(config.network, config.seed, None if state else config.encoder_weights)
        mean, std = state["colours"] if state else colours_of(config)
        self.card = Card(network=config.network, side=config.side, mean=tuple(mean), std=tuple(std))
        device, decay = self.machine.device, config.weight_decay
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        # A fused one counts its steps on the GPU. Any other would wait for it to read them there, after a restart.
        optimizer = torch.optim.Adam(network.parameters(), config.lr, weight_decay=decay, fused=device.type == "cuda")
        if state:
            network.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])
        self.first: int = state.get("step", 0)
        self.best = Outcome(**state["best"]) if state else Outcome(0, {"iou": -1.0})
        self.network, self.optimizer = self.machine.prepare(network, optimizer)

    def train(self) -> Outcome:
        """Do all steps that are left; return the best evaluation.

        Raises:
            ConfigurationError: the loss is no number; the last checkpoint is from before.
        """
        config, since = self.training, self.first
        total, started = torch.zeros((), device=self.machine.device), time.perf_counter()
        self.network.train()
        steps = range(self.first, config.steps)
        batches = self._ahead(steps)
        for step in progress(steps, "training", "steps") if self.machine.is_main_process else steps:
            total += self._step(next(batches), config.rate(step))
            done = step + 1
            if done % config.every == 0 or done == config.steps or done in EARLY:
                loss = float(self.machine.reduce(total, "mean")) / (done - since)
                self.run.check_loss(done, loss)
                speed = (done - since) * config.batch_size / (time.perf_counter() - started)
                self._evaluate(done, loss, speed)
                total.zero_()
                since, started = done, time.perf_counter()
        return self.best

    def _step(self, batch: Batch, rate: float) -> torch.Tensor:
        layers, colours = (None if one is None else one.to(self.machine.device, non_blocking=True) for one in batch)
        images, target = self._inputs(layers, colours)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self.machine.autocast():
            logits = object_logits(self.network(images))
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), target)
        self.optimizer.zero_grad(set_to_none=True)
        self.machine.backward(loss)
        self.optimizer.step()
        return loss.detach()

    def _inputs(self, layers: Any, colours: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return normalised images, and the target: float32, 1 where the object is."""
        pixels = layers.permute(0, 3, 1, 2).float().div_(255)
        images, target = pixels[:, :3], pixels[:, 3].contiguous()
        if colours is not None:
            images = images * 2 - 1
            images = torch.einsum("nij,njhw->nihw", colours[:, :, :3], images) + colours[:, :, 3, None, None]
            images = (images + 1) / 2
        return normalized(images, self.card).contiguous(memory_format=torch.channels_last), target

    def _ahead(self, steps: range) -> Iterator[Batch]:
        """Yield the batches of some steps, which threads make meanwhile."""
        config, machine = self.training, self.machine
        numbers = self.store.splits[TRAIN]
        visits = Visits(config.seed, len(numbers))
        squares = Squares(
            store=self.store,
            numbers=numbers,
            side=config.side,
            flip=config.flip,
            colour=config.colour,
            seed=config.seed,
        )
        pinned = machine.device.type == "cuda"

        def make(step: int) -> Batch:
            mine = share(visits.batch(step, config.batch_size), machine.process_index, machine.num_processes)
            made = (None if one is None else torch.from_numpy(one) for one in squares.batch(mine))
            layers, colours = (one.pin_memory() if pinned and one is not None else one for one in made)
            return layers, colours  # type: ignore[return-value]

        workers = min(max_workers(), 8)
        yield from ahead((partial(make, step) for step in steps), workers, 2 * workers)

    def _evaluate(self, step: int, loss: float, speed: float) -> None:
        """Score what was held back, keep the best network, note it all, and store the state.

        Raises:
            ConfigurationError: the network does not give numbers any more.
        """
        machine, config = self.machine, self.training
        network: nn.Module = machine.unwrap_model(self.network)
        network.eval()
        lower = torch.bfloat16 if machine.mixed_precision == "bf16" else None
        predictor = Predictor(network, self.card, machine.device, lower)
        held = self.store.splits[VALIDATION]
        numbers = generator("scored", config.seed).permutation(held)[:SCORED].tolist()
        mine = numbers[machine.process_index :: machine.num_processes]
        counts = torch.from_numpy(counted(predictor, self.store, mine, config.batch_size)).to(machine.device)
        pixels = machine.reduce(counts, "sum").cpu().numpy()
        self.run.check_loss(step, float(pixels.sum()))  # the loss is of the network before its last step
        found = scores(pixels)
        if found["iou"] > self.best.scores["iou"]:
            self.best = Outcome(step, found)
            if self.run.writes:
                card = replace(self.card, trained={**self.trained, "step": step, "scores": found})
                write_segmenter(self.run.folder / SEGMENTER, network, card)
        if self.run.writes:
            said = {"step": step, "loss": round(loss, 5), **found}
            write_sheet(self.run.folder / "sheets" / f"step-{step:06}.png", predictor, self.store, numbers, said)
        self.run.note(step, loss=loss, images_per_second=round(speed, 1), lr=config.rate(step - 1), **found)
        self.run.save(
            step,
            {
                "network": network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "best": asdict(self.best),
                "colours": [self.card.mean, self.card.std],
            },
        )
        network.train()


def colours_of(training: Training) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and deviation of colours: those of an encoder's weights; else the range becomes -1 to 1."""
    if training.encoder_weights is None:
        return (0.5,) * 3, (0.5,) * 3
    from segmentation_models_pytorch.encoders import get_preprocessing_params

    asked = get_preprocessing_params(training.encoder, training.encoder_weights)
    return tuple(asked["mean"] or (0.0,) * 3), tuple(asked["std"] or (1.0,) * 3)
