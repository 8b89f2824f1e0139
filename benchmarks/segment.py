#!/usr/bin/env python
"""Pictures an hour and GPU of detector, segmenter and infiller at their real sizes, stage by stage.

    python benchmarks/segment.py [--device cuda] [--pictures 256]

The weights are random, so the models' answers are thrown away after they were computed: each picture gets the boxes
and masks of one and a half versions on average, of a third of its area. Everything else is as in build/segment.py:
three prompts a picture, decoding and patches in other processes. The public pipeline reports 5,338.6 pictures
an hour on an H100 with LaMa, and 374.3 with Attentive Eraser.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1] / place) for place in ("", "build", "benchmarks")]

from lama_like import LamaLike  # noqa: E402 - lies beside this file

from fornet_hf.classes import imagenet_classes  # noqa: E402
from fornet_hf.encoding import Encoding  # noqa: E402
from fornet_hf.masks import Box, Mask  # noqa: E402
from fornet_hf.workers import max_workers  # noqa: E402
from producers.backends import Backends, Detection, Detector, Identity, Infiller, Query, Raster, Segmenter  # noqa: E402
from producers.candidate_folder import CandidateFolder  # noqa: E402
from producers.gpu_shard import Engine, segment_shard  # noqa: E402
from producers.placement import Placement  # noqa: E402
from producers.plan import plan  # noqa: E402
from producers.pools import pool_of  # noqa: E402
from producers.report import Report  # noqa: E402

SIZES = ((500, 375), (500, 333), (375, 500), (500, 334), (500, 500), (333, 500), (640, 480), (500, 400))


@dataclass(frozen=True)
class SteadyDetector:
    """Computes the detector's answer, and gives another: a box a prompt; in every second picture one is elsewhere."""

    model: Detector

    @property
    def identity(self) -> Identity:
        """Of the model."""
        return self.model.identity

    def detect(self, queries: Sequence[Query]) -> list[list[Detection]]:
        """A box for each prompt."""
        self.model.detect(queries)
        return [self._boxes(query) for query in queries]

    def _boxes(self, query: Query) -> list[Detection]:
        height, width = query.raster.shape[:2]
        shifts = [0] * (len(query.prompts) - 1) + [width // 5 * (int(query.key[-1]) % 2)]
        return [
            Detection(
                box=(width // 5 + x, height // 5, 4 * width // 5 + x, 4 * height // 5), score=0.9, prompt=prompt
            )
            for x, prompt in zip(shifts, query.prompts, strict=True)
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

    from producers.grounding_dino import GroundingDino

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

    from producers.batches import BatchSize
    from producers.box_segmenter import BoxSegmenter
    from producers.sam_hf import HubSam

    network = HubSam(SamModel(SamConfig()).to(placement.device))
    source = ("sam", "random", "0")
    return BoxSegmenter(network=network, placement=placement, source=source, batch_size=BatchSize(batch_size))


def infiller(placement: Placement, batch_size: int) -> Infiller:
    """LaMa."""
    from producers.batches import BatchSize
    from producers.lama import Lama

    network = LamaLike().to(placement.device).eval()
    return Lama(model=network, placement=placement, revision="random", batch_size=BatchSize(batch_size))


def make_pictures(root: Path, count: int) -> None:
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


def table(report: Report, placement: Placement) -> str:
    """The figures for people."""
    lines = [f"{'stage':<18}{'s':>8}{'ms/picture':>12}{'pictures/h':>12}"]
    for stage, spent in report.seconds.items():
        lines.append(
            f"{stage:<18}{spent:8.2f}{1000 * spent / report.pictures:12.1f}{3600 * report.pictures / spent:12,.0f}"
        )
    if placement.device.startswith("cuda"):
        memory = torch.cuda.max_memory_allocated() / 2**30
        lines.append(f"{torch.cuda.get_device_name()}, {memory:.1f} GiB at most")
    else:
        lines.append("On a CPU: says nothing about GPUs.")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options.add_argument("--precision", default="bfloat16")
    options.add_argument("--pictures", type=int, default=256)
    options.add_argument("--detector-batch", type=int, default=8, help="pictures")
    options.add_argument("--segmenter-batch", type=int, default=16, help="pictures")
    options.add_argument("--infiller-batch", type=int, default=16, help="versions")
    options.add_argument("--window", type=int, default=128, help="pictures that models get at a time")
    options.add_argument("--workers", type=int, default=max(1, max_workers() - 1))
    arguments = options.parse_args()
    placement = Placement(arguments.device, arguments.precision)
    models = Backends(
        detector=SteadyDetector(detector(placement, arguments.detector_batch)),
        segmenter=SteadySegmenter(segmenter(placement, arguments.segmenter_batch)),
        infiller=infiller(placement, arguments.infiller_batch),
    )
    with tempfile.TemporaryDirectory() as place, pool_of(arguments.workers) as pool:
        root = Path(place)
        make_pictures(root / "pictures", arguments.pictures)
        engine = Engine(backends=models, pool=pool, encoding=Encoding(), window=arguments.window)
        (task,) = plan(root / "pictures", ["train"], 1)
        folder = CandidateFolder(root / "run")
        if placement.device.startswith("cuda"):
            segment_shard(task, engine, folder)  # kernels are chosen and memory is taken
        start = time.perf_counter()
        report = segment_shard(task, engine, folder)
        spent = time.perf_counter() - start
    print(f"random weights, {arguments.precision}, {report.summary()}")
    print(table(report, placement))
    print(f"{3600 * report.pictures / spent:,.0f} pictures an hour and GPU")


if __name__ == "__main__":
    main()
