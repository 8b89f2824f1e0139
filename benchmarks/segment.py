#!/usr/bin/env python
"""Images an hour and GPU of detector, segmenter and infiller at their real sizes, stage by stage.

    python -m benchmarks.segment [--infiller lama|attentive-eraser] [--images 256] [--name segment_lama]

On a GPU the figures go to `results/NAME.json`. The weights are random, so the models' answers are thrown away after
they were computed: each image gets the boxes and masks of one and a half versions on average, of a third of its area.
Everything else is as in build/segment.py: three prompts an image, decoding and patches in other processes. The public
pipeline reports 5,338.6 images an hour on an H100 with LaMa, and 374.3 with Attentive Eraser.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build")]

from benchmarks import harness  # noqa: E402 - the folders above come first
from benchmarks.lama_like import LamaLike  # noqa: E402
from fornet_hf.classes import imagenet_classes  # noqa: E402
from fornet_hf.format.encoding import Encoding  # noqa: E402
from fornet_hf.format.masks import Box, Mask  # noqa: E402
from fornet_hf.processes import max_workers, start_pool  # noqa: E402
from producers.devices.opencv import one_thread  # noqa: E402
from producers.devices.placement import Placement  # noqa: E402
from producers.scene import Detection, Detector, Identity, Infiller, Raster, Scene, Segmenter  # noqa: E402
from producers.step import Backends  # noqa: E402
from producers.tasks.segment import Engine, segment_shard  # noqa: E402
from producers.work.plan import plan  # noqa: E402
from producers.work.report import Report  # noqa: E402
from producers.work.run_folder import CandidateFolder  # noqa: E402
from producers.work.settings import version_of  # noqa: E402

SIZES = ((500, 375), (500, 333), (375, 500), (500, 334), (500, 500), (333, 500), (640, 480), (500, 400))


@dataclass(frozen=True)
class SteadyDetector:
    """Computes the detector's answer, and gives another: a box a prompt; in every second image one is elsewhere."""

    model: Detector

    @property
    def identity(self) -> Identity:
        """Of the model."""
        return self.model.identity

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """A box for each prompt."""
        self.model.detect(scenes)
        return [self._boxes(scene) for scene in scenes]

    def _boxes(self, scene: Scene) -> list[Detection]:
        height, width = scene.raster.shape[:2]
        shifts = [0] * (len(scene.prompts) - 1) + [width // 5 * (int(scene.key[-1]) % 2)]
        return [
            Detection(
                box=(width // 5 + x, height // 5, 4 * width // 5 + x, 4 * height // 5), score=0.9, prompt=prompt
            )
            for x, prompt in zip(shifts, scene.prompts, strict=True)
        ]


@dataclass(frozen=True)
class SteadySegmenter:
    """Computes the segmenter's answer, and gives another: the ellipse in each box."""

    model: Segmenter

    @property
    def identity(self) -> Identity:
        """Of the model."""
        return self.model.identity

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """An ellipse for each box."""
        self.model.segment(rasters, boxes)
        return [[_ellipse(raster, box) for box in found] for raster, found in zip(rasters, boxes, strict=True)]


def _ellipse(raster: Raster, box: Box) -> Mask:
    y, x = np.ogrid[: raster.shape[0], : raster.shape[1]]
    across, down = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    mask: Mask = ((x - box[0] - across) / across) ** 2 + ((y - box[1] - down) / down) ** 2 <= 1
    return mask


def detector(placement: Placement, batch_size: int) -> Detector:
    """GroundingDINO with a Swin-T, as in `grounding-dino-tiny`."""
    from transformers import BertTokenizer, GroundingDinoConfig, GroundingDinoForObjectDetection, SwinConfig

    from producers.detect.grounding_dino import GroundingDino

    swin = SwinConfig(
        image_size=224, embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7,
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "an", ",", ".", "type", "of"]
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(words)})
    network = GroundingDinoForObjectDetection(GroundingDinoConfig(backbone_config=swin))
    return GroundingDino(network, tokenizer, placement, source=("random", "0"), batch_size=batch_size)


def segmenter(placement: Placement, batch_size: int) -> Segmenter:
    """SAM with a ViT-B."""
    from transformers import SamConfig, SamModel

    from producers.devices.batches import BatchSize
    from producers.segment.sam import BoxSegmenter, HubSam

    network = HubSam(SamModel(SamConfig()).to(placement.device))
    source = ("sam", "random", "0")
    return BoxSegmenter(network=network, placement=placement, source=source, batch_size=BatchSize(batch_size))


def lama(placement: Placement, batch_size: int) -> Infiller:
    """LaMa."""
    from producers.devices.batches import BatchSize
    from producers.infill.lama import Lama

    network = LamaLike().to(placement.device).eval()
    return Lama(model=network, placement=placement, revision="random", batch_size=BatchSize(batch_size))


def eraser(placement: Placement, batch_size: int) -> Infiller:
    """Attentive Eraser, with the networks of SDXL in the precision in which it loads them."""
    from diffusers import AutoencoderKL, StableDiffusionXLInpaintPipeline, UNet2DConditionModel

    from producers.infill.attentive_eraser import AttentiveEraser, EmptyPrompt, use_ddim

    dtype = placement.dtype
    unet = UNet2DConditionModel(
        sample_size=128, block_out_channels=(320, 640, 1280), layers_per_block=2, attention_head_dim=(5, 10, 20),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10), cross_attention_dim=2048, use_linear_projection=True,
        addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=1024,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.13025, force_upcast=False,
    )  # fmt: skip
    pipeline = StableDiffusionXLInpaintPipeline(
        vae=vae.to(placement.device, dtype).eval(), unet=unet.to(placement.device, dtype).eval(), scheduler=None,
        text_encoder=None, text_encoder_2=None, tokenizer=None, tokenizer_2=None, add_watermarker=False,
    )  # fmt: skip
    use_ddim(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    tokens, pooled = (torch.randn(1, *shape, device=placement.device).to(dtype) for shape in ((77, 2048), (1280,)))
    return AttentiveEraser(pipeline, EmptyPrompt(tokens, pooled), placement, batch_size=batch_size)


def make_images(root: Path, count: int) -> None:
    """JPEG files of ImageNet's usual sizes: noise of all scales, which takes as long to decode as photographs."""
    rng = np.random.default_rng(0)
    wnid = imagenet_classes()[0].wnid
    (root / "train" / wnid).mkdir(parents=True)
    for index in range(count):
        wide, high = SIZES[index % len(SIZES)]
        layers = [rng.integers(0, 256, (max(2, high // scale), max(2, wide // scale), 3)) for scale in (4, 16, 64)]
        grown = [Image.fromarray(layer.astype(np.uint8)).resize((wide, high)) for layer in layers]
        pixels = np.mean([np.asarray(layer) for layer in grown], axis=0).astype(np.uint8)
        Image.fromarray(pixels).save(root / "train" / wnid / f"{wnid}_{index}.JPEG", quality=90)


@contextlib.contextmanager
def utilisation(device: str) -> Iterator[list[float]]:
    """Collect the driver's figure of how busy the GPU is, in percent, five times a second; of a CPU, nothing."""
    samples: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            samples.append(float(torch.cuda.utilization(device)))

    watcher = threading.Thread(target=watch, daemon=True)
    if device.startswith("cuda"):
        watcher.start()
    try:
        yield samples
    finally:
        done.set()
        if watcher.is_alive():
            watcher.join()


def figures(report: Report, seconds: float, device: str, busy: Sequence[float]) -> dict[str, Any]:
    """Return the figures of one run: rates, times by stage, memory and utilisation of the GPU."""
    result: dict[str, Any] = {
        "pictures": report.images,
        "outcomes": report.outcomes(),
        "seconds": round(seconds, 2),
        "pictures_per_gpu_hour": round(3600 * report.images / seconds),
        "ms_per_picture": {
            "end to end": round(1000 * seconds / report.images, 2),
            **{stage: round(1000 * spent / report.images, 2) for stage, spent in report.seconds.items()},
        },
    }
    if gpu := harness.gpu(device):
        result |= gpu
        result["gpu_busy_mean_percent"] = round(float(np.mean(busy)), 1) if busy else None
    return result


def table(found: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"{'stage':<18}{'ms/image':>12}{'images/h':>12}"]
    for stage, spent in found["ms_per_picture"].items():
        lines.append(f"{stage:<18}{spent:12.1f}{3600 * 1000 / max(spent, 1e-9):12,.0f}")
    if "gpu" in found:
        lines.append(
            f"{found['gpu']}, {found['gpu_memory_gib']} GiB at most, {found['gpu_busy_mean_percent']} % busy"
        )
    else:
        lines.append("On a CPU: says nothing about GPUs.")
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    """Read the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--precision", default="bfloat16")
    options.add_argument("--infiller", choices=("lama", "attentive-eraser"), default="lama")
    options.add_argument("--images", "--pictures", type=int, default=256)
    options.add_argument("--detector-batch", type=int, default=8, help="images")
    options.add_argument("--segmenter-batch", type=int, default=16, help="images")
    options.add_argument("--infiller-batch", type=int, help="versions; default: 16 with LaMa, 4 with the eraser")
    options.add_argument("--window", type=int, default=128, help="images that models get at a time")
    options.add_argument("--workers", type=int, default=max(1, max_workers() - 1))
    options.add_argument("--name", help="of the file in results; default: segment_INFILLER, on a GPU only")
    return options.parse_args()


def main() -> None:
    """Print the table and write the results."""
    arguments = parse()
    placement = Placement(arguments.device, arguments.precision)
    erasing = arguments.infiller == "attentive-eraser"
    batch = arguments.infiller_batch or (4 if erasing else 16)
    with torch.device(placement.device):  # random weights are drawn where they are used
        models = Backends(
            detector=SteadyDetector(detector(placement, arguments.detector_batch)),
            segmenter=SteadySegmenter(segmenter(placement, arguments.segmenter_batch)),
            infiller=(eraser if erasing else lama)(placement, batch),
        )
    on_gpu = placement.device.startswith("cuda")
    with tempfile.TemporaryDirectory() as place, start_pool(arguments.workers, one_thread) as pool:
        root = Path(place)
        make_images(root / "pictures", arguments.images)
        engine = Engine(backends=models, pool=pool, encoding=Encoding(), window=arguments.window)
        (task,) = plan(root / "pictures", ["train"], 1)
        folder = CandidateFolder(root / "run")
        if on_gpu:
            segment_shard(task, engine, folder)  # kernels are chosen and memory is taken
        with utilisation(placement.device) as busy:
            start = time.perf_counter()
            report = segment_shard(task, engine, folder)
            spent = time.perf_counter() - start
    if report.ok != arguments.images:
        raise RuntimeError(f"not every image was taken apart: {report.summary()}")
    found = figures(report, spent, placement.device, busy)
    print(f"random weights, {arguments.infiller}, {arguments.precision}, {report.summary()}")
    print(table(found))
    if on_gpu or arguments.name:
        options = {**vars(arguments), "infiller_batch": batch}
        del options["name"]
        name = arguments.name or f"segment_{arguments.infiller.replace('-', '_')}"
        packages = {package: version_of(package) for package in ("transformers", "diffusers")}
        print(harness.write(name, {"options": options, "packages": packages, **found}))


if __name__ == "__main__":
    main()
