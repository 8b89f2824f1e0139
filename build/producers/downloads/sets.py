"""Sets of images and masks that commands of this project want."""

from __future__ import annotations

from producers.downloads.item import DATASET, FILE, PAGE, Item

_IMAGENET = "ImageNet's terms of access: research and education, no passing on"
_TERMS = "https://www.image-net.org/download.php"
_HUB_TERMS = "https://huggingface.co/datasets/ILSVRC/imagenet-1k"
_IN9 = "none stated; the images are ImageNet's"
_IN9_TRAINING = "examples/train.py and examples/tune_for_backgrounds.py, on ImageNet-9"
_MASKS = "fornet masks, build/segment_truth.py"


def _in9(variant: str, address: str) -> Item:
    return Item(name=f"in9-{variant}", kind=FILE, address=address, wanted_by=_IN9_TRAINING, licence=_IN9)


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
