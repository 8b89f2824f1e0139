"""The training of a generator of layers: steps of both sides, figures, generators that are kept, checkpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from fornet_hf.processes import max_workers
from fornet_hf.progress import progress
from producers.devices.placement import Placement
from producers.layers.augmentation import AdaptiveStrength
from producers.layers.chosen import generator_file
from producers.layers.drawing import Drawing
from producers.layers.features import Scorer
from producers.layers.grids import SHOWN, write_grid
from producers.layers.networks.card import GeneratorCard
from producers.layers.networks.files import write_generator
from producers.layers.phases import Phases
from producers.layers.samples import Sampler
from producers.layers.settings import LayerSettings
from producers.layers.squares import SquareStore
from producers.training.ahead import ahead
from producers.training.clock import Clock
from producers.training.machine import PRECISIONS, mean_gradients, share
from producers.training.run import TrainingRun
from producers.training.stopping import Stopping
from producers.training.visits import Visits

if TYPE_CHECKING:
    from accelerate import Accelerator

_SAVED = 600  # seconds from one checkpoint to the next, at most, but for the thousand images between two looks
_BATCH = 64  # samples that are made at a time for scores
_LAZY_GENERATOR = 4 / 5
"""As for a penalty in every fourth step (path length), which ILSGAN leaves out while it keeps the rate."""

_FIGURES = (
    "loss_discriminator",
    "loss_generator",
    "binary",
    "size",
    "independence",
    "likelihood",
    "penalty",
    "mask",
    "sign_real",
)


@dataclass(frozen=True)
class Outcome:
    """The state of a training when its command ended.

    Attributes:
        kimg: thousands of images that it has seen.
        of: those that it is to see.
        figures: the last line of its log.
    """

    kimg: int
    of: int
    figures: Mapping[str, Any]

    @property
    def complete(self) -> bool:
        """True if all steps are done."""
        return self.kimg >= self.of

    def summary(self) -> str:
        """Return a line for people."""
        names = ("fid", "kid", "mask", "binary", "independence")
        figures = [f"{name} {self.figures[name]:.4g}" for name in names if name in self.figures]
        said = f"{self.kimg} of {self.of} kimg" + (f": {', '.join(figures)}" if figures else "")
        return said if self.complete else f"{said}; the same command goes on from here"


class LayerTrainer:
    """A training on one or several processes, each of which sees its part of a batch."""

    def __init__(
        self,
        settings: LayerSettings,
        squares: SquareStore,
        run: TrainingRun,
        machine: Accelerator,
        trained: Mapping[str, Any],
        *,
        scorer: Scorer | None = None,
        compiled: bool = False,
    ) -> None:
        """Make the networks, or take those of the last checkpoint.

        Args:
            settings: of the training.
            squares: real images.
            run: its folder.
            machine: distributes it.
            trained: what the cards of generators are to say about it.
            scorer: of FID and KID, in the process that writes; None: they are not computed.
            compiled: whether `torch.compile` makes the networks faster.
        """
        self.settings, self.squares, self.run, self.machine = settings, squares, run, machine
        self._trained, self._scorer = trained, scorer
        precision = next(name for name, one in PRECISIONS.items() if one == machine.mixed_precision)
        self._placement = Placement(str(machine.device), precision)
        drawing = Drawing(settings, machine.process_index, self._placement)
        self.phases = Phases(settings, drawing, machine.autocast, compiled=compiled)
        lazy = settings.r1_every / (settings.r1_every + 1) if settings.penalty else 1.0
        self._modules: dict[str, nn.Module | None] = {
            "generator": self.phases.generator,
            "discriminator": self.phases.discriminator,
            "bound": self.phases.bound,
        }
        powers = {"generator": _LAZY_GENERATOR, "discriminator": lazy, "bound": lazy}
        self._optimizers = {
            name: self._adam(module, powers[name]) for name, module in self._modules.items() if module is not None
        }
        self._sums = torch.zeros(len(_FIGURES), device=machine.device)
        self._none = torch.zeros((), device=machine.device)
        self._counts: Counter[str] = Counter()
        self.first, self._seconds = 0, 0.0
        self._restore()

    def train(self, stopping: Stopping) -> Outcome:
        """Do all steps that are left, or those until an end is asked for, after which the state is stored.

        Args:
            stopping: says when to end early.

        Raises:
            KeyboardInterrupt: that was asked for by a signal.
            ConfigurationError: the loss is no number; the last checkpoint is from before.
        """
        steps = range(self.first, self.settings.steps)
        batches = self._ahead(steps)
        clock = Clock(self._seconds, self.first)
        for step in progress(steps, "training", "steps") if self.machine.is_main_process else steps:
            self._step(step, next(batches))
            done, last = step + 1, step + 1 == self.settings.steps
            looks = last or self._crosses(done, 1)
            ends = not last and (looks or self.machine.num_processes == 1) and self._agreed(stopping)
            keeps = last or self._crosses(done, self.settings.every)
            if looks:
                self._look(done, clock, keeps=keeps)
            if keeps or ends or (looks and clock.since_saved > _SAVED):
                self._save(done, clock)
            if ends:
                batches.close()
                if stopping.interrupted:
                    raise KeyboardInterrupt
                return self._outcome(done)
        return self._outcome(self.settings.steps)

    def _step(self, step: int, real: torch.Tensor) -> None:
        images = real.to(self.machine.device, non_blocking=True).permute(0, 3, 1, 2).float() / 127.5 - 1
        figures = self.phases.discriminate(step, images)
        for name in ("discriminator", "bound"):
            self._learn(name)
        figures |= self.phases.generate(step, len(real))
        self._learn("generator")
        self.phases.follow(step)
        self._sums += torch.stack([figures.get(name, self._none) for name in _FIGURES])
        self._counts.update(figures.keys())

    def _learn(self, name: str) -> None:
        """Take a step of a network's optimizer, with the mean gradient of all processes."""
        module = self._modules[name]
        if module is None:
            return
        optimizer = self._optimizers[name]
        mean_gradients(self.machine, module)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def _adam(self, module: nn.Module, power: float) -> torch.optim.Optimizer:
        """Return Adam with betas 0 and 0.99, as it is for a loss a part of which counts in few steps.

        That is section B of Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (CVPR 2020).
        """
        fused = self.machine.device.type == "cuda"
        betas = 0.0, 0.99**power
        return torch.optim.Adam(module.parameters(), self.settings.lr * power, betas, eps=1e-8, fused=fused)

    def _ahead(self, steps: range) -> Generator[torch.Tensor, None, None]:
        """Yield this process's squares of some steps, uint8 on the CPU, which threads make meanwhile."""
        settings, machine = self.settings, self.machine
        visits, pinned = Visits(settings.seed, len(self.squares)), machine.device.type == "cuda"

        def make(step: int) -> torch.Tensor:
            mine = share(visits.batch(step, settings.batch_size), machine.process_index, machine.num_processes)
            made = torch.from_numpy(self.squares.batch(mine, mirror=settings.mirror, seed=settings.seed))
            return made.pin_memory() if pinned else made

        workers = min(max_workers(), 4)
        yield from ahead((partial(make, step) for step in steps), workers, 2 * workers)

    def _crosses(self, done: int, kimg: int) -> bool:
        """Return whether a multiple of so many thousands of images has been seen since the step before."""
        size, per = self.settings.batch_size, 1000 * kimg
        return done * size // per > (done - 1) * size // per

    def _agreed(self, stopping: Stopping) -> bool:
        """Return whether an end was asked for in any process."""
        if self.machine.num_processes == 1:
            return stopping.due
        mine = torch.tensor(float(stopping.due), device=self.machine.device)
        return bool(self.machine.reduce(mine, "sum") > 0)

    def _look(self, done: int, clock: Clock, *, keeps: bool) -> None:
        """Note the figures since the last look, adapt the augmentation, and keep the generator if it is time.

        Raises:
            ConfigurationError: a loss is no number.
        """
        settings, phases, size = self.settings, self.phases, self.settings.batch_size
        sums = self.machine.reduce(self._sums.clone(), "mean").tolist()
        found = {name: sums[at] / self._counts[name] for at, name in enumerate(_FIGURES) if self._counts[name]}
        self.run.check_loss(done, sum(sums))
        steps = self._counts["mask"]
        if settings.augment is not None:
            adaptive = AdaptiveStrength(phases.strength, settings.augment, settings.augment_kimg)
            phases.strength = adaptive.update(found["sign_real"], steps * size)
        self._sums.zero_()
        self._counts.clear()
        figures: dict[str, Any] = {
            "kimg": done * size // 1000,
            **{name: round(one, 6) for name, one in found.items()},
            "sigma": round(settings.independent(done - 1), 6),
            "augmentation": round(phases.strength, 6),
            "images_per_second": round(clock.speed(done) * size, 1),
            "seconds": round(clock.seconds, 1),
        }
        if keeps:
            figures |= self._keep(figures)
        self.run.note(done, **figures)

    def _keep(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """Write the averaged generator and a sheet of its samples; return what the log is to say of it."""
        scores: dict[str, float] = {}
        if self.run.writes:
            kimg = figures["kimg"]
            sampler = Sampler(self.phases.average, self._placement, seed=self.settings.seed)
            if self._scorer is not None:
                numbers = range(self.settings.fid)
                parts = (sampler(numbers[start : start + _BATCH]) for start in numbers[::_BATCH])
                scores = self._scorer.scores(np.stack([one.image for one in part]) for part in parts)
            card = GeneratorCard(network=self.settings.network, trained={**self._trained, "kimg": kimg, **scores})
            write_generator(generator_file(self.run.folder, kimg), self.phases.average, card)
            shown = {name: figures[name] for name in ("kimg", "mask", "binary") if name in figures} | scores
            write_grid(self.run.folder / "progress" / f"{kimg:06}.png", sampler(range(SHOWN)), shown)
        self.machine.wait_for_everyone()
        return {"kept": True, **scores}

    def _save(self, done: int, clock: Clock) -> None:
        """Store all that the next steps depend on.

        Raises:
            ConfigurationError: weights are no numbers.
        """
        modules = {name: one for name, one in self._modules.items() if one is not None}
        weights = [one.isfinite().all() for module in modules.values() for one in module.parameters()]
        self.run.check_loss(done, 0.0 if torch.stack(weights).all() else float("nan"))
        state = {
            **{name: module.state_dict() for name, module in modules.items()},
            "average": self.phases.average.state_dict(),
            "optimizers": {name: one.state_dict() for name, one in self._optimizers.items()},
            "strength": self.phases.strength,
            "sums": self._sums,
            "counts": dict(self._counts),
            "seconds": clock.seconds,
        }
        self.run.save(done, state)
        clock.note_save()

    def _restore(self) -> None:
        state = self.run.restore()
        if not state:
            return
        for name, module in (*self._modules.items(), ("average", self.phases.average)):
            if module is not None:
                module.load_state_dict(state[name])
        for name, optimizer in self._optimizers.items():
            rates = [group["lr"] for group in optimizer.param_groups]
            optimizer.load_state_dict(state["optimizers"][name])
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate  # another one may be asked for now
        self.first, self._seconds = state["step"], state["seconds"]
        self.phases.strength, self._counts = state["strength"], Counter(state["counts"])
        self._sums.copy_(state["sums"])

    def _outcome(self, done: int) -> Outcome:
        lines = self.run.figures()
        return Outcome(done * self.settings.batch_size // 1000, self.settings.kimg, lines[-1] if lines else {})
