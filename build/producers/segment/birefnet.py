"""BiRefNet: cuts out what stands in front, whatever it is called, by ONNX Runtime.

Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image Segmentation", CAAI Artificial Intelligence
Research, 2024. It takes no prompts, and so suits sets whose classes have no names. The published file is one that
rembg fetches, whose own code takes single images and stretches each map to 0 to 255, which leaves no confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from fornet_hf.errors import ConfigurationError, explain
from fornet_hf.files import sha256_of
from fornet_hf.processes import max_workers
from producers.devices.batches import BatchSize, run_batched
from producers.devices.placement import Placement
from producers.model_step import SegmentByPrompts
from producers.scene import Cut, Identity, Scene
from producers.segment.birefnet_settings import BiRefNetSettings
from producers.segment.square import Square

_GPU = "CUDAExecutionProvider"
_CELLS = 256  # of a side of the maps that are kept


class Session(Protocol):
    """A network in ONNX Runtime: `onnxruntime.InferenceSession`."""

    def get_inputs(self) -> Sequence[Any]:
        """Return its inputs, each with `name` and `shape`; sides that may vary have a name in place of a number."""

    def run(self, names: None, values: Mapping[str, npt.NDArray[np.float32]]) -> Sequence[npt.NDArray[np.float32]]:
        """Return its outputs."""


class BiRefNet(SegmentByPrompts):
    """A segmenter that gives each image one mask, under its first prompt; the score is the mean probability in it."""

    def __init__(
        self,
        session: Session,
        placement: Placement,
        settings: BiRefNetSettings | None = None,
        *,
        source: tuple[str, str] = ("unknown", "unknown"),
        batch_size: int = 4,
    ) -> None:
        """Take a network from normalised images (float32, n x 3 x side x side) to logits (n x 1 x h x h)."""
        (asked,) = session.get_inputs()
        count, *_, side = asked.shape
        self._session = session
        self._input: str = asked.name
        self._placement = placement
        self._source = source
        self.settings = settings or BiRefNetSettings()
        self.square = Square(side=side if isinstance(side, int) else 1024)
        self.batch_size = BatchSize(1 if isinstance(count, int) else batch_size)  # most files take one at a time

    @property
    def identity(self) -> Identity:
        """The file and the settings."""
        model, revision = self._source
        settings = (("least", self.settings.least), ("threshold", self.settings.threshold))
        return Identity(name="birefnet", model=model, revision=revision, settings=settings)

    def bucket(self, height: int, width: int) -> None:  # noqa: ARG002
        """Say that images of all sizes may share a batch."""
        return

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes with one mask each, or none where nothing stands in front."""
        return run_batched(scenes, self._batch, size=self.batch_size)

    def _batch(self, scenes: list[Scene]) -> list[Scene]:
        with torch.inference_mode():
            pixels = self.square.pixels([scene.raster for scene in scenes], self._placement)
            chances = torch.from_numpy(self._logits(pixels.cpu().numpy())).float().sigmoid()
            return [replace(scene, masks=self._cuts(scene, one)) for scene, one in zip(scenes, chances, strict=True)]

    def _logits(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        try:
            return self._session.run(None, {self._input: pixels})[-1]
        except Exception as error:
            if "Failed to allocate memory" in str(error):  # ONNX Runtime has no error of its own for it
                raise torch.OutOfMemoryError(str(error)) from error
            raise

    def _cuts(self, scene: Scene, chances: torch.Tensor) -> tuple[Cut, ...]:
        """Return the mask of an image, of its raster's size, from its map: float32, 1 x h x h, 0 to 1."""
        size = (scene.raster.shape[0], scene.raster.shape[1])
        image = self.square.restored(chances[None], size)[0, 0]
        mask = image > self.settings.threshold
        if not mask.any() or mask.float().mean() < self.settings.least:
            return ()
        soft = functional.adaptive_avg_pool2d(chances, min(_CELLS, chances.shape[-1]))[0].mul(255).round().byte()
        return (Cut(mask.numpy(), scene.prompts[0], float(image[mask].mean()), soft.numpy()),)


def load(
    placement: Placement, model: str, *, settings: BiRefNetSettings | None = None, batch_size: int = 4
) -> BiRefNet:
    """Load BiRefNet from a file of ONNX.

    Raises:
        ConfigurationError: the file holds no network of ONNX, or ONNX Runtime does not see the GPU.
    """
    import onnxruntime

    device = torch.device(placement.device)
    gpus = [(_GPU, {"device_id": device.index or 0})] if device.type == "cuda" else []
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(max_workers(), torch.get_num_threads())
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[*gpus, "CPUExecutionProvider"])
    except Exception as error:  # they have no class of their own
        found = str(error).partition("\n")[0]
        raise ConfigurationError(explain(f"{model} holds no network of ONNX", found=found)) from error
    if gpus and _GPU not in session.get_providers():
        then = "Install its build for GPUs in its place: pip install onnxruntime-gpu"
        raise ConfigurationError(explain("ONNX Runtime sees no GPU", found=session.get_providers(), then=then))
    source = (Path(model).name, f"sha256:{sha256_of(Path(model))}")
    return BiRefNet(session, placement, settings, source=source, batch_size=batch_size)
