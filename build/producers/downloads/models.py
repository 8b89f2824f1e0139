"""Weights of models that commands of this project want."""

from __future__ import annotations

from producers.downloads.item import FILE, MODEL, Item

_PAGE = "see its page"
_TORCHVISION = "https://download.pytorch.org/models/"
_SAM = "https://dl.fbaipublicfiles.com/segment_anything/"


def _classifier(file: str, size: str, wanted_by: str) -> Item:
    """Return weights of torchvision, whose name ends with the first digits of their SHA-256."""
    model, _, digest = file.rpartition("-")
    return Item(
        name=f"torchvision-{file}".replace("_", "-"),
        kind=FILE,
        address=f"{_TORCHVISION}{file}.pth",
        wanted_by=f"{wanted_by}: torchvision:{model}",
        size=size,
        digest=f"sha256:{digest}",
        stated_by="its name, as torchvision gives it",
        in_torch=True,
    )


def _sam(size: str, file: str, amount: str) -> Item:
    return Item(
        name=f"sam-{size}".replace("_", "-"),
        kind=FILE,
        address=f"{_SAM}{file}",
        wanted_by=f"build/segment.py --segmenter sam@{size}",
        licence="Apache-2.0",
        size=amount,
        digest=f"sha256:{file.removesuffix('.pth').rpartition('_')[2]}",
        stated_by="its name",
        in_torch=True,
    )


def _timm(name: str) -> Item:
    return Item(
        name=f"timm-{name.partition('.')[0]}".replace("_", "-"),
        kind=MODEL,
        address=f"timm/{name}",
        wanted_by=f"examples, fornet evaluate: timm:{name.partition('.')[0]}",
        licence=_PAGE,
        patterns=("config.json", "model.safetensors"),
    )


WEIGHTS = (
    Item(
        name="grounding-dino",
        kind=MODEL,
        address="IDEA-Research/grounding-dino-tiny",
        wanted_by="build/segment.py, its default detector",
        licence="Apache-2.0",
        size="0.7 GB",
        patterns=("*.json", "*.txt", "model.safetensors"),
    ),
    Item(
        name="mm-grounding-dino",
        kind=MODEL,
        address="openmmlab-community/mm_grounding_dino_tiny_o365v1_goldg_v3det",
        wanted_by="build/segment.py --detector mm-grounding-dino",
        licence="Apache-2.0",
        size="0.7 GB",
        patterns=("*.json", "*.txt", "model.safetensors"),
    ),
    Item(
        name="owlv2",
        kind=MODEL,
        address="google/owlv2-base-patch16-ensemble",
        wanted_by="build/segment.py --detector owlv2",
        licence="Apache-2.0",
        size="0.6 GB",
        patterns=("*.json", "*.txt", "model.safetensors"),
    ),
    Item(
        name="florence-2",
        kind=MODEL,
        address="florence-community/Florence-2-base",
        wanted_by="build/segment.py --detector florence-2",
        licence="MIT",
        patterns=("*.json", "*.txt", "model.safetensors"),
    ),
    _sam("vit_b", "sam_vit_b_01ec64.pth", "0.4 GB"),
    _sam("vit_l", "sam_vit_l_0b3195.pth", "1.2 GB"),
    _sam("vit_h", "sam_vit_h_4b8939.pth", "2.6 GB"),
    Item(
        name="sam-hf",
        kind=MODEL,
        address="facebook/sam-vit-base",
        wanted_by="build/segment.py --segmenter sam-hf",
        licence="Apache-2.0",
        patterns=("*.json", "model.safetensors"),
    ),
    Item(
        name="sam2",
        kind=MODEL,
        address="facebook/sam2.1-hiera-base-plus",
        wanted_by="build/segment.py --segmenter sam2",
        licence="Apache-2.0",
        patterns=("*.json", "model.safetensors"),
    ),
    Item(
        name="sam3",
        kind=MODEL,
        address="facebook/sam3",
        wanted_by="build/segment.py --segmenter sam3",
        licence="SAM License (Meta)",
        terms="https://huggingface.co/facebook/sam3",
        patterns=("*.json", "*.txt", "model.safetensors"),
    ),
    Item(
        name="birefnet",
        kind=FILE,
        address="https://github.com/danielgatis/rembg/releases/download/v0.0.0/BiRefNet-general-epoch_244.onnx",
        wanted_by="build/segment.py --segmenter birefnet=FILE",
        licence="MIT",
        digest="md5:7a35a0141cbbc80de11d9c9a28f52697",
        stated_by="rembg 2.0.86",
    ),
    Item(
        name="lama",
        kind=FILE,
        address="https://github.com/enesmsahin/simple-lama-inpainting/releases/download/v0.1.0/big-lama.pt",
        wanted_by="build/segment.py, its default infiller",
        licence="Apache-2.0, its repository's; none stated for the weights",
        size="0.2 GB",
        digest="md5:e3aa4aaa15225a33ec84f9f4bc47e500",
        stated_by="build/producers/registered.py",
        in_torch=True,
    ),
    Item(
        name="attentive-eraser",
        kind=MODEL,
        address="stabilityai/stable-diffusion-xl-base-1.0",
        wanted_by="build/segment.py --infiller attentive-eraser",
        licence="CreativeML Open RAIL++-M",
        patterns=("*.json", "*.txt", "*.fp16.safetensors"),
    ),
    Item(
        name="flux-fill",
        kind=MODEL,
        address="black-forest-labs/FLUX.1-Fill-dev",
        wanted_by="build/segment.py --infiller flux-fill",
        licence="FLUX.1 [dev] Non-Commercial License",
        terms="https://huggingface.co/black-forest-labs/FLUX.1-Fill-dev",
        patterns=("model_index.json", "scheduler/*", "t*/*", "vae/*"),
    ),
    Item(
        name="stable-diffusion",
        kind=MODEL,
        address="CompVis/stable-diffusion-v1-4",
        wanted_by="--segmenter cross-attention, build/finetune_background.py",
        licence="CreativeML OpenRAIL-M",
        size="4.3 GB",
        patterns=(
            "model_index.json",
            "scheduler/*",
            "tokenizer/*",
            *(
                f"{part}/{file}"
                for part in ("text_encoder", "unet", "vae")
                for file in ("config.json", "model.safetensors", "diffusion_pytorch_model.safetensors")
            ),
        ),
    ),
    Item(
        name="inception",
        kind=FILE,
        address="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
        "weights-inception-2015-12-05-6726825d.pth",
        wanted_by="build/train_layers.py --fid",
        licence="Apache-2.0",
        digest="sha256:6726825d",
        stated_by="its name",
        in_torch=True,
    ),
    Item(
        name="encoder-resnet34",
        kind=MODEL,
        address="smp-hub/resnet34.imagenet",
        wanted_by="build/train_segmenter.py --encoder resnet34",
        revision="7a57b34f723329ff020b3f8bc41771163c519d0c",
    ),
    _classifier("resnet50-11ad3fa6", "98 MB", "build/select_versions.py"),
    _classifier("resnet101-cd907fc2", "171 MB", "build/select_versions.py"),
    _classifier("vit_b_16-c867db91", "330 MB", "build/select_versions.py"),
    _classifier("vit_l_16-852ce7e3", "1.2 GB", "build/select_versions.py"),
    _classifier("swin_t-704ceda3", "108 MB", "build/select_versions.py"),
    _classifier("swin_s-5e29d889", "190 MB", "build/select_versions.py"),
    _classifier("resnet50-0676ba61", "98 MB", "fornet evaluate and tuning, IMAGENET1K_V1"),
    _classifier("resnet50-19c8e357", "98 MB", "fornet evaluate, the published figures of ImageNet-9"),
    _timm("resnet18.a1_in1k"),
    _timm("resnet50.a1_in1k"),
    _timm("vit_small_patch16_224.augreg_in21k_ft_in1k"),
    _timm("vit_base_patch16_224.augreg2_in21k_ft_in1k"),
    _timm("deit_small_patch16_224.fb_in1k"),
)
"""Weights of models."""
