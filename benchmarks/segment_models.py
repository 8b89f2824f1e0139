"""The producers' networks at their real sizes with random weights: what they cost, not what they see.

Random networks find nonsense, so their answers are thrown away after they were computed: each image gets boxes and
masks of one and a half versions on average, of a third of its area.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from tests.torchvision_shim import import_torchvision

import_torchvision()  # segment-anything needs it, in the processes that import this, too

from benchmarks.lama_like import LamaLike  # noqa: E402
from fornet_hf.format.masks import Box, Mask  # noqa: E402
from producers.devices.batches import BatchSize  # noqa: E402
from producers.devices.placement import Placement  # noqa: E402
from producers.scene import Detection, Detector, Identity, Infiller, Raster, Scene, Segmenter  # noqa: E402
from tests.build import tiny_models  # noqa: E402

_RANDOM = ("random", "0")


@dataclass(frozen=True)
class SteadyDetector:
    """Computes the detector's answer, and gives that of `boxes_of`."""

    model: Detector

    @property
    def identity(self) -> Identity:
        """Of the model."""
        return self.model.identity

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        """A box for each prompt."""
        self.model.detect(scenes)
        return [boxes_of(scene) for scene in scenes]


@dataclass(frozen=True)
class SteadySegmenter:
    """Computes the segmenter's answer, and gives another: the ellipse in each box."""

    model: Segmenter

    @property
    def identity(self) -> Identity:
        """Of the model."""
        return self.model.identity

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def segment(self, rasters: Sequence[Raster], boxes: Sequence[Sequence[Box]]) -> list[list[Mask]]:
        """An ellipse for each box."""
        self.model.segment(rasters, boxes)
        return [[ellipse(raster, box) for box in found] for raster, found in zip(rasters, boxes, strict=True)]


def boxes_of(scene: Scene) -> list[Detection]:
    """Return a box for each prompt; in every second image the last one is elsewhere."""
    height, width = scene.raster.shape[:2]
    shifts = [0] * (len(scene.prompts) - 1) + [width // 5 * (int(scene.key[-1]) % 2)]
    return [
        Detection(box=(width // 5 + x, height // 5, 4 * width // 5 + x, 4 * height // 5), score=0.9, prompt=prompt)
        for x, prompt in zip(shifts, scene.prompts, strict=True)
    ]


def ellipse(raster: Raster, box: Box) -> Mask:
    """Return the ellipse in a box."""
    y, x = np.ogrid[: raster.shape[0], : raster.shape[1]]
    across, down = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    mask: Mask = ((x - box[0] - across) / across) ** 2 + ((y - box[1] - down) / down) ** 2 <= 1
    return mask


def grounding_dino(placement: Placement, batch_size: int, *, tiny: bool, **options: Any) -> Detector:
    """GroundingDINO with a Swin-T, as in `grounding-dino-tiny`; it finds about a box for each prompt."""
    from transformers import BertTokenizer, GroundingDinoConfig, GroundingDinoForObjectDetection, SwinConfig

    from producers.detect.grounding_dino import GroundingDino
    from producers.detect.input_size import InputSize

    if tiny:
        network, tokenizer = tiny_models.grounding_dino()
    else:
        swin = SwinConfig(
            image_size=224, embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7,
            out_features=["stage2", "stage3", "stage4"],
        )  # fmt: skip
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "an", ",", ".", "type", "of"]
        tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(words)})
        network = GroundingDinoForObjectDetection(GroundingDinoConfig(backbone_config=swin))
    size = InputSize(shorter=64, longer=128) if tiny else InputSize()
    return GroundingDino(network, tokenizer, placement, source=_RANDOM, batch_size=batch_size, size=size, **options)


def sam(placement: Placement, batch_size: int, *, tiny: bool) -> Segmenter:
    """SAM with a ViT-B, by the code of its authors."""
    from segment_anything import sam_model_registry

    from producers.segment.sam import placed

    network = tiny_models.segment_anything() if tiny else sam_model_registry["vit_b"]()
    return _in_boxes(placed(network, placement), placement, batch_size)


def sam_hf(placement: Placement, batch_size: int, *, tiny: bool) -> Segmenter:
    """The same, by transformers."""
    from transformers import SamConfig, SamModel

    from producers.segment.sam import HubSam

    network = tiny_models.hub_sam() if tiny else SamModel(SamConfig())
    return _in_boxes(HubSam(network.to(placement.device)), placement, batch_size)


def _in_boxes(network: Any, placement: Placement, batch_size: int) -> Segmenter:
    from producers.segment.box_segmenter import BoxSegmenter

    source = ("sam", *_RANDOM)
    return BoxSegmenter(network=network, placement=placement, source=source, batch_size=BatchSize(batch_size))


def lama(placement: Placement, batch_size: int, *, tiny: bool) -> Infiller:
    """LaMa, traced and read from a file as the published one is."""
    from producers.infill.lama import load

    network = (tiny_models.FourierFill() if tiny else LamaLike()).to(placement.device).eval()
    example = (torch.rand(1, 3, 120, 120), torch.ones(1, 1, 120, 120, dtype=torch.int64))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shapes that are read, and of torch.jit
        path = f"{folder}/lama.pt"
        torch.jit.trace(network, [one.to(placement.device) for one in example], check_trace=False).save(path)
        return load(placement, path, batch_size=batch_size)


def attentive_eraser(placement: Placement, batch_size: int, *, tiny: bool) -> Infiller:
    """Attentive Eraser, with the networks of SDXL in the precision in which it loads them."""
    from producers.infill.attentive_eraser import AttentiveEraser
    from producers.infill.encoded_prompt import EncodedPrompt
    from producers.infill.eraser_settings import EraserSettings

    if tiny:
        settings = EraserSettings(side=128, steps=3)
        return AttentiveEraser(*tiny_models.sdxl_inpainting(), placement, settings=settings, batch_size=batch_size)
    dtype = placement.dtype
    pipeline = sdxl(placement)
    tokens, pooled = (torch.randn(1, *shape, device=placement.device).to(dtype) for shape in ((77, 2048), (1280,)))
    return AttentiveEraser(pipeline, EncodedPrompt(tokens, pooled), placement, batch_size=batch_size)


def sdxl(placement: Placement) -> Any:
    """Return the inpainting pipeline of SDXL, without text encoders."""
    from diffusers import AutoencoderKL, StableDiffusionXLInpaintPipeline, UNet2DConditionModel

    from producers.infill.attentive_eraser import use_ddim

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
        unet=unet.to(placement.device, placement.dtype).eval(), vae=vae.to(placement.device).eval(),
        scheduler=None, text_encoder=None, text_encoder_2=None, tokenizer=None, tokenizer_2=None,
        add_watermarker=False,
    )  # fmt: skip
    use_ddim(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


MAKERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "grounding-dino": grounding_dino,
        "sam": sam,
        "sam-hf": sam_hf,
        "lama": lama,
        "attentive-eraser": attentive_eraser,
    }
)


def make(name: str, placement: Placement, batch_size: int, *, tiny: bool = False, **options: Any) -> Any:
    """Return a model by the name of `build/segment.py`; its weights are the same in every process.

    Args:
        name: in `MAKERS`.
        placement: where it runs; its weights are drawn there.
        batch_size: images at a time.
        tiny: whether a network for tests takes the place of the real one.
        options: of the model.
    """
    devices = [torch.device(placement.device)] if placement.device.startswith("cuda") else []
    with torch.random.fork_rng(devices), torch.device(placement.device):
        torch.manual_seed(0)
        return MAKERS[name](placement, batch_size, tiny=tiny, **options)
