"""The producers as far as a machine without a GPU can tell: operations of the networks, and how full batches are.

    python -m benchmarks.segment_counted [--out FOLDER]

Operations are counted at the real sizes, two for each product and its sum, most of them on tensors without values.
Batches are those of build/segment.py's own flow, of images at sizes like ImageNet's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

from benchmarks import harness  # noqa: E402 - the folders above come first
from benchmarks.image_sizes import Size, draw  # noqa: E402
from benchmarks.lama_like import LamaLike  # noqa: E402
from benchmarks.segment_models import make, sdxl  # noqa: E402
from benchmarks.segment_stages import BATCHES, PROMPTS  # noqa: E402
from fornet_hf.format.encoding import Encoding  # noqa: E402
from producers.detect.grounding_settings import GroundingSettings  # noqa: E402
from producers.detect.input_size import InputSize  # noqa: E402
from producers.devices.placement import ON, Placement  # noqa: E402
from producers.infill.lama import Lama  # noqa: E402
from producers.infill.shared_halves import shared_halves  # noqa: E402
from producers.scene import Cut, Scene  # noqa: E402
from producers.step import Step  # noqa: E402
from producers.tasks.careful_step import CarefulStep  # noqa: E402
from producers.tasks.flow import through  # noqa: E402
from producers.work.report import Lost, Report  # noqa: E402

STEPS = 40  # of Attentive Eraser
WINDOWS = (128, 512, 1024, 2048)


def operations() -> Iterator[dict[str, Any]]:
    """Yield the TFLOPs of each network for one image of 500 x 375."""
    yield from _detectors()
    with torch.device("meta"), torch.inference_mode():
        yield from _segmenters()
        yield {"network": "LaMa", "tflop": tflop(partial(LamaLike().eval(), *_lama_sees()))}
        yield from _eraser()
        yield from _flux()


def _detectors() -> Iterator[dict[str, Any]]:
    """Count on the CPU, as the network looks at values."""
    scene = Scene(key="0", raster=np.zeros((375, 500, 3), np.uint8), prompts=PROMPTS)
    separate, longer = GroundingSettings(), Placement(speedups=ON - {"short-texts"})
    for name, placement, settings in (
        ("each prompt by itself, without short-texts", longer, separate),
        ("each prompt by itself", Placement(), separate),
        ("all prompts in one text", Placement(), GroundingSettings(together=True)),
    ):
        model = make("grounding-dino", placement, 1, settings=settings)
        yield {"network": f"GroundingDINO, three prompts: {name}", "tflop": tflop(partial(model.detect, [scene]))}


def _segmenters() -> Iterator[dict[str, Any]]:
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2Model,
        Sam2VisionConfig,
        Sam3Config,
        Sam3Model,
        SamConfig,
        SamModel,
    )

    base_plus = Sam2HieraDetConfig(
        hidden_size=112, num_attention_heads=2, blocks_per_stage=[2, 3, 16, 3],
        embed_dim_per_stage=[112, 224, 448, 896], num_attention_heads_per_stage=[2, 4, 8, 16],
        window_size_per_stage=[8, 4, 14, 7],
        global_attention_blocks=[12, 16, 20], window_positional_embedding_background_size=[14, 14],
    )  # fmt: skip
    sam2 = Sam2Config(
        vision_config=Sam2VisionConfig(backbone_config=base_plus, backbone_channel_list=[896, 448, 224, 112])
    )
    square = torch.empty(1, 3, 1024, 1024)
    for name, model in {"SAM, ViT-B": SamModel(SamConfig()), "SAM 2.1, base plus": Sam2Model(sam2)}.items():
        yield {"network": f"{name}: embedding", "tflop": tflop(partial(model.eval().get_image_embeddings, square))}
    sam3, larger = Sam3Model(Sam3Config()).eval(), torch.empty(1, 3, 1008, 1008)
    yield {"network": "SAM 3: embedding", "tflop": tflop(partial(sam3.get_vision_features, pixel_values=larger))}


def _flux() -> Iterator[dict[str, Any]]:
    from diffusers import FluxTransformer2DModel

    network, (high, wide), words = FluxTransformer2DModel(in_channels=384, out_channels=64), (48, 64), 512
    given = {
        "hidden_states": torch.empty(1, high * wide, 384), "encoder_hidden_states": torch.empty(1, words, 4096),
        "pooled_projections": torch.empty(1, 768), "timestep": torch.empty(1), "guidance": None,
        "img_ids": torch.empty(high * wide, 3), "txt_ids": torch.empty(words, 3),
    }  # fmt: skip
    yield {"network": "FLUX.1 Fill: 50 steps of its transformer", "tflop": 50 * tflop(partial(network, **given))}


def _lama_sees() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.empty(1, 3, 376, 504), torch.empty(1, 1, 376, 504)


def _eraser() -> Iterator[dict[str, Any]]:
    pipeline = sdxl(Placement("meta"))
    high, wide = 96, 128  # latent values of 768 x 1024 pixels

    def step() -> None:
        more = {"text_embeds": torch.empty(2, 1280), "time_ids": torch.empty(2, 6)}
        time, tokens = torch.empty(()), torch.empty(2, 77, 2048)
        pipeline.unet(
            torch.empty(2, 4, high, wide), time, encoder_hidden_states=tokens, added_cond_kwargs=more,
            return_dict=False,
        )  # fmt: skip

    for name, context in {"": nullcontext(), ", shared halves": shared_halves(pipeline.unet)}.items():
        with context:
            yield {"network": f"Attentive Eraser: {STEPS} steps of its U-Net{name}", "tflop": STEPS * tflop(step)}
    vae = pipeline.vae
    yield {"network": "Attentive Eraser: encoding", "tflop": tflop(lambda: vae.encode(torch.empty(1, 3, 768, 1024)))}
    yield {"network": "Attentive Eraser: decoding", "tflop": tflop(lambda: vae.decode(torch.empty(1, 4, high, wide)))}


def tflop(run: Callable[[], Any]) -> float:
    """Count the operations of a call, in 10^12."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 1e12


@dataclass
class Counting:
    """A model that makes nothing and notes how full its batches are.

    Attributes:
        bucket: what images of a batch share, by height and width.
        batch_size: images at a time.
        batches: items of each batch.
    """

    bucket: Callable[[int, int], Hashable]
    batch_size: int
    batches: list[int] = field(default_factory=list)

    def take(self, scenes: Sequence[Scene], items: Callable[[Scene], int]) -> None:
        """Note the batches of a call."""
        counts: dict[Hashable, int] = {}
        for scene in scenes:
            bucket = self.bucket(*scene.raster.shape[:2])
            counts[bucket] = counts.get(bucket, 0) + items(scene)
        for count in counts.values():
            full, rest = divmod(count, self.batch_size)
            self.batches += [self.batch_size] * full + [rest] * (rest > 0)

    @property
    def fill(self) -> float:
        """Items of a batch on average."""
        return float(np.mean(self.batches))


@dataclass(frozen=True)
class Counted(Step):
    """A step whose model notes its batches."""

    model: Counting
    stage: str
    gives: frozenset[str] = frozenset({"infilled"})

    def __call__(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Note the batches, and pretend to have filled holes."""
        self.model.take(scenes, self.items)
        return [replace(scene, infilled=(scene.raster,)) for scene in scenes]

    def items(self, scene: Scene) -> int:
        """Return 1 for the detector, and the number of versions for the infiller."""
        return 1 if self.stage == "detect" else len(scene.versions or ())

    @property
    def worker(self) -> Counting:
        """The model."""
        return self.model


def fills(count: int) -> Iterator[dict[str, Any]]:
    """Yield how full batches are: window by window, as they were before there was a flow, and in the flow."""
    scenes, lama = list(_scenes(draw(count))), Lama(model=None, placement=Placement(), revision="").bucket
    for name, run in {"each window by itself": _in_windows, "across windows": _in_flow}.items():
        for window in WINDOWS:
            steps = [
                Counted(Counting(InputSize().padded, BATCHES["grounding-dino"][0]), "detect"),
                Counted(Counting(lama, BATCHES["lama"][0]), "infill"),
            ]
            run(scenes, steps, window)
            found = {f"{step.stage}, of {step.model.batch_size}": round(step.model.fill, 2) for step in steps}
            yield {"batches": name, "window": window, **found}


def _scenes(sizes: Iterable[Size]) -> Iterator[Scene]:
    for number, (width, height) in enumerate(sizes):
        scale = min(1.0, Encoding.max_side / max(width, height))
        shape = (round(height * scale), round(width * scale), 3)
        cut = Cut(np.ones((1, 1), np.bool_), "", 1.0)
        raster = np.broadcast_to(np.uint8(0), shape)
        yield Scene(key=str(number), raster=raster, prompts=("",), versions=(cut,) * (1 + number % 2))


def _in_windows(scenes: Sequence[Scene], steps: Sequence[Counted], window: int) -> None:
    for start in range(0, len(scenes), window):
        for step in steps:
            step(scenes[start : start + window])


def _in_flow(scenes: Sequence[Scene], steps: Sequence[Counted], window: int) -> None:
    careful = [CarefulStep(step, Report()) for step in steps]
    for _ in through(((None, scene) for scene in scenes), careful, window, _done):
        pass


def _done(_: None, after: Scene | Lost) -> Future[Scene | Lost]:
    made: Future[Scene | Lost] = Future()
    made.set_result(after)
    return made


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Count everything."""
    return {
        "images": arguments.images,
        "operations": [{**one, "tflop": round(one["tflop"], 3)} for one in operations()],
        "fills": list(fills(arguments.images)),
    }


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--images", type=int, default=32768, help="whose batches are filled")
    options.add_argument("--out", type=Path, default=harness.RESULTS, help="folder of the results")
    return options.parse_args(argv)


def main() -> None:
    """Write the results."""
    arguments = parse()
    print(harness.write("segment_counted", measure(arguments), arguments.out))


if __name__ == "__main__":
    main()
