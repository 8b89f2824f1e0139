"""Everything that commands of this project want and do not bring along: the one list of it.

Digests are those that somebody states: torchvision for its own sets and weights (whose names end with the first
digits of their SHA-256), the package of LaMa for its file, and public code for CUB-200-2011. Addresses are those of
the packages that fetch the same, or of public code and pages of the authors; no server was asked. Sizes are rounded,
from docs/masks.md, docs/getting_started.md and torchvision.
"""

from __future__ import annotations

from producers.downloads.item import DATASET, FILE, MODEL, PAGE, Item

_IMAGENET = "ImageNet's terms of access: research and education, no passing on"
_PAGE = "see its page"
_TERMS = "https://www.image-net.org/download.php"
_HUB_TERMS = "https://huggingface.co/datasets/ILSVRC/imagenet-1k"
_IN9 = "none stated; the images are ImageNet's"
_TORCHVISION = "https://download.pytorch.org/models/"
_SAM = "https://dl.fbaipublicfiles.com/segment_anything/"
_IN9_TRAINING = "examples/train.py and examples/tune_for_backgrounds.py, on ImageNet-9"
_MASKS = "fornet masks, build/segment_truth.py"


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


def _in9(variant: str, address: str) -> Item:
    return Item(name=f"in9-{variant}", kind=FILE, address=address, wanted_by=_IN9_TRAINING, licence=_IN9)


def _timm(name: str) -> Item:
    return Item(
        name=f"timm-{name.partition('.')[0]}".replace("_", "-"),
        kind=MODEL,
        address=f"timm/{name}",
        wanted_by=f"examples, fornet evaluate: timm:{name.partition('.')[0]}",
        licence=_PAGE,
        patterns=("config.json", "model.safetensors"),
    )


DATA = (
    Item(
        name="imagenet-1k",
        kind=DATASET,
        address="ILSVRC/imagenet-1k",
        wanted_by="load_dataset, build/segment.py, everything on ImageNet",
        licence=_IMAGENET,
        size="150 GB",
        terms=_HUB_TERMS,
        patterns=("data/train-*.parquet", "data/validation-*.parquet"),
    ),
    Item(
        name="imagenet-train",
        kind=PAGE,
        address=_TERMS,
        wanted_by="the same, as a folder",
        licence=_IMAGENET,
        digest="md5:1d675b47d978889d74fa0da5fadfb00e",
        stated_by="torchvision.datasets.ImageNet",
        terms=_TERMS,
        files=("ILSVRC2012_img_train.tar",),
    ),
    Item(
        name="imagenet-val",
        kind=PAGE,
        address=_TERMS,
        wanted_by="the same, as a folder",
        licence=_IMAGENET,
        digest="md5:29b22e2961454d5413ddabcf34fc5622",
        stated_by="torchvision.datasets.ImageNet",
        terms=_TERMS,
        files=("ILSVRC2012_img_val.tar",),
    ),
    Item(
        name="fornet",
        kind=DATASET,
        address="TNauen/ForNet",
        wanted_by="load_dataset, fornet apply, build/import_release.py",
        licence="patches: see its card; images made with them: ImageNet's terms of access",
        size="12 to 40 GB",
    ),
    Item(
        name="in9",
        kind=FILE,
        address="https://github.com/MadryLab/backgrounds_challenge/releases/download/data/"
        "backgrounds_challenge_data.tar.gz",
        wanted_by="fornet evaluate --data, its background challenge",
        licence=_IN9,
    ),
    _in9("large", "https://www.dropbox.com/s/8w29bg9niya19rn/in9l.tar.gz?dl=1"),
    _in9("original", "https://www.dropbox.com/s/0vv2qsc4ywb4z5v/original.tar.gz?dl=1"),
    _in9("mixed-rand", "https://www.dropbox.com/s/cto15ceadgraur2/mixed_rand.tar.gz?dl=1"),
    _in9("mixed-same", "https://www.dropbox.com/s/f2525w5aqq67kk0/mixed_same.tar.gz?dl=1"),
    _in9("mixed-next", "https://www.dropbox.com/s/4hnkbvxastpcgz2/mixed_next.tar.gz?dl=1"),
    Item(
        name="cifar10",
        kind=DATASET,
        address="uoft-cs/cifar10",
        wanted_by="examples/train.py --preset cifar10-baseline and its relatives",
    ),
    Item(
        name="cub",
        kind=FILE,
        address="https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
        wanted_by="build/segment.py, build/train_segmenter.py, fornet masks --layout cub",
        digest="md5:97eceeb196236b17998738112f37df78",
        stated_by="github.com/TDeVries/cub2011_dataset",
    ),
    Item(
        name="cub-masks",
        kind=FILE,
        address="https://data.caltech.edu/records/w9d68-gec53/files/segmentations.tgz",
        wanted_by="fornet masks --layout cub, build/train_segmenter.py --layout cub",
        digest="md5:4d47ba1228eae64f2fa547c47bc65255",
        stated_by="public code of several authors",
    ),
    Item(
        name="drc",
        kind=PAGE,
        address="https://drive.google.com/drive/folders/1qItekRJcOYBIcVi4ChrcyzwFVl-lrw23",
        wanted_by="build/train_layers.py --drc, fornet masks --layout drc: birds, dogs (and their originals), cars",
    ),
    Item(
        name="voc2012",
        kind=FILE,
        address="https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
        wanted_by="fornet masks --layout voc, build/segment_truth.py --layout voc",
        digest="md5:6cd6e144f989b92b3379bac3b3de84fd",
        stated_by="torchvision.datasets.VOCSegmentation",
    ),
    Item(
        name="coco-val",
        kind=FILE,
        address="http://images.cocodataset.org/zips/val2017.zip",
        wanted_by="build/segment_truth.py --layout coco",
    ),
    Item(
        name="coco-masks",
        kind=FILE,
        address="http://images.cocodataset.org/annotations/annotations_trainval2017.zip",
        wanted_by="fornet masks --layout coco",
    ),
    Item(
        name="davis",
        kind=PAGE,
        address="https://davischallenge.org/davis2017/code.html",
        wanted_by="fornet masks --layout davis",
    ),
    Item(
        name="duts-train",
        kind=FILE,
        address="http://saliencydetection.net/duts/download/DUTS-TR.zip",
        wanted_by=_MASKS,
    ),
    Item(
        name="duts-test",
        kind=FILE,
        address="http://saliencydetection.net/duts/download/DUTS-TE.zip",
        wanted_by=_MASKS,
    ),
    Item(
        name="ecssd",
        kind=FILE,
        address="http://www.cse.cuhk.edu.hk/leojia/projects/hsaliency/data/ECSSD/images.zip",
        wanted_by=_MASKS,
    ),
    Item(
        name="ecssd-masks",
        kind=FILE,
        address="http://www.cse.cuhk.edu.hk/leojia/projects/hsaliency/data/ECSSD/ground_truth_mask.zip",
        wanted_by=_MASKS,
    ),
    Item(name="fss-1000", kind=PAGE, address="https://github.com/HKUSTCV/FSS-1000", wanted_by=_MASKS),
)
"""Sets of images and masks."""

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
    _sam("vit_b", "sam_vit_b_01ec64.pth", "0.4 GB"),
    _sam("vit_l", "sam_vit_l_0b3195.pth", "1.2 GB"),
    _sam("vit_h", "sam_vit_h_4b8939.pth", "2.6 GB"),
    Item(
        name="sam-hf",
        kind=MODEL,
        address="facebook/sam-vit-base",
        wanted_by="build/segment.py --segmenter sam-hf",
        licence=_PAGE,
        patterns=("*.json", "model.safetensors"),
    ),
    Item(
        name="lama",
        kind=FILE,
        address="https://github.com/enesmsahin/simple-lama-inpainting/releases/download/v0.1.0/big-lama.pt",
        wanted_by="build/segment.py, its default infiller",
        size="0.2 GB",
        digest="md5:e3aa4aaa15225a33ec84f9f4bc47e500",
        stated_by="build/producers/registry.py",
        in_torch=True,
    ),
    Item(
        name="attentive-eraser",
        kind=MODEL,
        address="stabilityai/stable-diffusion-xl-base-1.0",
        wanted_by="build/segment.py --infiller attentive-eraser",
        licence=_PAGE,
        patterns=("*.json", "*.txt", "*.fp16.safetensors"),
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

CATALOGUE = {item.name: item for item in (*DATA, *WEIGHTS)}
"""All of it, by name."""
