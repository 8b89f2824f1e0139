"""The loop of fine-tuning: steps of the optimizer, the average of the weights, checkpoints."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from PIL import Image
from tqdm import tqdm

from fornet_hf.files import atomic_path
from producers.diffusion.model import Diffusion
from producers.diffusion.sampling import sampled
from producers.training.machine import share
from producers.training.run import TrainingRun
from producers.training.visits import Visits
from producers.tuning.examples import batch_of, example, masked_error, target
from producers.tuning.posteriors import Posteriors
from producers.tuning.result import write_result
from producers.tuning.settings import TuningSettings

NOTED = 50  # steps from one line of the log to the next
_SHOWN = 4  # images of each prompt
_STEPS = 50  # of DDIM for these


class Tuner:
    """Fine-tunes a U-Net; the same whatever the number of processes, but for the order in which numbers are added."""

    def __init__(
        self,
        accelerator: Accelerator,
        model: Diffusion,
        posteriors: Posteriors,
        settings: TuningSettings,
        run: TrainingRun,
        *,
        save_every: int = 2000,
        micro_batch: int | None = None,
    ) -> None:
        """Take a model in float32.

        Args:
            accelerator: of this command's processes.
            model: whose U-Net is trained.
            posteriors: the images.
            settings: of the training.
            run: its folder.
            save_every: steps from one checkpoint to the next.
            micro_batch: images at a time in a process; None: all of its part of a batch.
        """
        self._accelerator, self._model, self._posteriors = accelerator, model, posteriors
        self._settings, self._run = settings, run
        self._save_every, self._micro_batch = save_every, micro_batch or settings.batch_size
        concepts = settings.concepts
        self._tokens = model.encoded([concepts.object, concepts.background])
        model.text_encoder.to("cpu")  # which is not needed any more
        model.unet.train()
        fused = accelerator.device.type == "cuda"
        optimizer = torch.optim.AdamW(model.unet.parameters(), lr=settings.lr, fused=fused)
        self._average = EMAModel(model.unet.parameters(), decay=settings.decay)
        self._unet, self._optimizer = accelerator.prepare(model.unet, optimizer)
        self._visits = Visits(settings.seed, len(posteriors))

    @property
    def result(self) -> Path:
        """The folder of the fine-tuned model."""
        return self._run.folder / "model"

    def train(self) -> None:
        """Train to the last step, from the last checkpoint on if there is one.

        Raises:
            ConfigurationError: the loss is not finite; the last checkpoint is from before.
        """
        done, last = self._restore(), self._settings.steps
        if done >= last:  # whoever was killed may not have come further than the checkpoint
            self._show(done)
        total, since, started = torch.zeros((), device=self._accelerator.device), done, time.perf_counter()
        shown = {"initial": done, "total": last, "unit": "step", "disable": not self._run.writes or None}
        for step in tqdm(range(done, last), desc="fine-tuning", **shown):
            total += self._step(step)
            now = step + 1
            saves = now == last or now % self._save_every == 0
            if saves or now % NOTED == 0:
                loss = float(self._accelerator.reduce(total, "mean")) / (now - since)
                self._run.check_loss(now, loss)
                rate = self._settings.batch_size * (now - since) / (time.perf_counter() - started)
                self._run.note(now, loss=loss, lr=self._settings.rate(step), images_per_second=rate)
                if saves:
                    self._save(now)
                total, since, started = torch.zeros_like(total), now, time.perf_counter()

    def _step(self, step: int) -> torch.Tensor:
        """Take a step, from 0; return the mean loss of this process's examples."""
        accelerator, settings = self._accelerator, self._settings
        visits = self._visits.batch(step, settings.batch_size)
        mine = share(visits, accelerator.process_index, accelerator.num_processes)
        total = torch.zeros((), device=accelerator.device)
        for start in range(0, len(mine), self._micro_batch):
            part = mine[start : start + self._micro_batch]
            ends = start + len(part) == len(mine)
            with contextlib.nullcontext() if ends else accelerator.no_sync(self._unet):
                examples = [example(self._posteriors, visit, settings) for visit in part]
                loss = self._loss(batch_of(examples, accelerator.device)) * (len(part) / len(mine))
                accelerator.backward(loss)
            total += loss.detach()
        for group in self._optimizer.param_groups:
            group["lr"] = settings.rate(step)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._average.step(self._model.unet.parameters())
        return total

    def _loss(self, batch: Any) -> torch.Tensor:
        noised = self._model.noised(batch.latents, batch.noise, batch.timesteps)
        tokens = self._tokens[batch.prompts]
        predicted = self._unet(noised, batch.timesteps, tokens, return_dict=False)[0].float()
        return masked_error(predicted, target(self._model, batch), batch.counts)

    def _restore(self) -> int:
        """Load the last checkpoint, if there is one; return the steps that are done."""
        state = self._run.restore()
        if not state:
            return 0
        self._model.unet.load_state_dict(state["unet"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._average.load_state_dict(state["average"])
        self._average.to(self._accelerator.device)
        return int(state["step"])

    def _save(self, step: int) -> None:
        finite = torch.stack([one.isfinite().all() for one in self._model.unet.parameters()]).all()
        self._run.check_loss(step, 0.0 if finite else float("nan"))  # the last step may have spoilt them
        if self._run.writes:
            state = {
                "unet": self._model.unet.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "average": self._average.state_dict(),
            }
            self._run.save(step, state)
            self._show(step)
        self._accelerator.wait_for_everyone()

    def _show(self, step: int) -> None:
        """Write the model of the average, and images that it makes."""
        if not self._run.writes:
            return
        with self._averaged():
            write_result(self.result, self._model, self._model.unet.state_dict(), self._settings.concepts)
            numbers = range(_SHOWN)
            with self._accelerator.autocast():
                rows = [
                    np.concatenate(
                        sampled(self._model, tokens[None], numbers, side=self._settings.side, steps=_STEPS), 1
                    )
                    for tokens in self._tokens
                ]
        with atomic_path(self._run.folder / "progress" / f"{step:07}.png") as temporary:
            Image.fromarray(np.concatenate(rows)).save(temporary, "PNG")

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Let the U-Net have the average of its weights meanwhile."""
        parameters = list(self._model.unet.parameters())
        self._average.store(parameters)
        self._average.copy_to(parameters)
        self._model.unet.eval()
        try:
            yield
        finally:
            self._average.restore(parameters)
            self._model.unet.train()
