"""The models that need no other one: one registration each, whose target is imported by the process that runs it."""

from __future__ import annotations

from functools import partial

from producers.plugins import OPTIONS
from producers.registration import Model
from producers.step import Detect, Infill, Segment, SegmentByPrompts

_WEIGHTS = frozenset({"placement", "model", "revision", "batch_size"})
_detector = partial(Model, role="detector", step=Detect)
_segmenter = partial(Model, role="segmenter", step=Segment)
_by_prompts = partial(Model, role="segmenter", step=SegmentByPrompts, takes=_WEIGHTS)  # type: ignore[type-abstract]
_infiller = partial(Model, role="infiller", step=Infill, takes=_WEIGHTS)

DETECTORS = (
    _detector(
        name="grounding-dino",
        target="producers.detect.grounding_dino:GroundingDino.load",
        takes=OPTIONS,
        packages="torch transformers",
        weights="IDEA-Research/grounding-dino-tiny",
        licence="Apache-2.0",
        settings="producers.detect.grounding_settings:GroundingSettings",
    ),
    _detector(
        name="mm-grounding-dino",
        target="producers.detect.grounding_dino:GroundingDino.load",
        takes=OPTIONS,
        packages="torch 'transformers>=5'",
        weights="openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
        licence="Apache-2.0",
        settings="producers.detect.grounding_settings:GroundingSettings",
    ),
    _detector(
        name="owlv2",
        target="producers.detect.owlv2:Owlv2.load",
        takes=_WEIGHTS | {"threshold"},
        packages="torch 'transformers>=5'",
        weights="google/owlv2-base-patch16-ensemble",
        licence="Apache-2.0",
    ),
    _detector(
        name="florence-2",
        target="producers.detect.florence:Florence2.load",
        takes=_WEIGHTS | {"threshold"},
        packages="torch 'transformers>=5'",
        weights="florence-community/Florence-2-base",
        licence="MIT",
    ),
    _detector(
        name="boxes",
        target="producers.detect.boxes:read_boxes",
        takes=frozenset({"model"}),
        file=True,
        needs_model=True,
        light=True,
    ),
    _detector(name="centred", target="producers.detect.boxes:CentredBox", light=True),
)

SEGMENTERS = (
    _segmenter(
        name="sam",
        target="producers.segment.sam:load",
        takes=_WEIGHTS,
        packages="torch torchvision segment-anything",
        revision="vit_b",
        revisions=("vit_b", "vit_l", "vit_h"),
        licence="Apache-2.0",
        hint="of segment-anything; =WEIGHTS.pth, @vit_h",
        file=True,
    ),
    _segmenter(
        name="sam-hf",
        target="producers.segment.sam:load_from_hub",
        takes=_WEIGHTS,
        packages="torch transformers",
        weights="facebook/sam-vit-base",
        licence="Apache-2.0",
    ),
    _segmenter(
        name="sam2",
        target="producers.segment.sam2:load",
        takes=_WEIGHTS,
        packages="torch 'transformers>=5'",
        weights="facebook/sam2.1-hiera-base-plus",
        licence="Apache-2.0",
    ),
    _by_prompts(
        name="sam3",
        target="producers.segment.sam3:load",
        packages="torch 'transformers>=5'",
        weights="facebook/sam3",
        licence="SAM License (Meta)",
        settings="producers.segment.sam3_settings:Sam3Settings",
    ),
    _by_prompts(
        name="birefnet",
        target="producers.segment.birefnet:load",
        takes=_WEIGHTS - {"revision"},
        packages="torch onnxruntime",
        file=True,
        needs_model=True,
        hint=".onnx, without prompts",
        settings="producers.segment.birefnet_settings:BiRefNetSettings",
    ),
    _segmenter(
        name="grabcut",
        target="producers.segment.grabcut:GrabCut",
        settings="producers.segment.grabcut:GrabCut",
        light=True,
    ),
    _by_prompts(
        name="cross-attention",
        target="producers.segment.cross_attention:CrossAttention.load",
        packages="torch 'diffusers>=0.40' transformers",
        weights="CompVis/stable-diffusion-v1-4",
        licence="CreativeML OpenRAIL-M",
        settings="producers.segment.attention_settings:AttentionSettings",
    ),
    _by_prompts(
        name="unet",
        target="producers.segment.unet:load",
        takes=_WEIGHTS - {"revision"},
        packages="torch safetensors opencv-python-headless",
        file=True,
        needs_model=True,
        hint="of train_segmenter.py",
        reads="producers.segment.networks.files:read_card",
        settings="producers.segment.unet_settings:UNetSettings",
    ),
)

INFILLERS = (
    _infiller(
        name="lama",
        target="producers.infill.lama:load",
        packages="torch opencv-python-headless && pip install --no-deps simple-lama-inpainting==0.1.2",
        revision="e3aa4aaa15225a33ec84f9f4bc47e500",
        licence="Apache-2.0, its repository's; none stated for the weights",
        hint="=WEIGHTS.pt, else by LAMA_MODEL, else fetched; @MD5 of others than big-lama",
        file=True,
    ),
    _infiller(
        name="opencv",
        target="producers.infill.inpaint:OpenCVInpaint",
        takes=frozenset(),
        settings="producers.infill.inpaint:OpenCVInpaint",
        light=True,
    ),
    _infiller(
        name="attentive-eraser",
        target="producers.infill.attentive_eraser:AttentiveEraser.load",
        packages="torch 'diffusers>=0.40' transformers accelerate",
        weights="stabilityai/stable-diffusion-xl-base-1.0",
        licence="CreativeML Open RAIL++-M",
        settings="producers.infill.eraser_settings:EraserSettings",
    ),
    _infiller(
        name="flux-fill",
        target="producers.infill.flux_fill:FluxFill.load",
        packages="torch 'diffusers>=0.40' transformers accelerate sentencepiece protobuf",
        weights="black-forest-labs/FLUX.1-Fill-dev",
        licence="FLUX.1 [dev] Non-Commercial License",
        settings="producers.infill.flux_settings:FluxSettings",
    ),
    _infiller(
        name="background-diffusion",
        target="producers.infill.background_diffusion:load_background_diffusion",
        packages="torch 'diffusers>=0.40' transformers accelerate",
        needs_model=True,
        hint="of finetune_background.py",
        settings="producers.infill.background_settings:BackgroundSettings",
    ),
)
