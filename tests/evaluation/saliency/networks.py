"""Small classifiers with random weights, of all families and libraries."""

import pytest

from fornet_hf.evaluation.models.classifier import Classifier
from fornet_hf.evaluation.models.preprocessing import Preprocessing
from tests.torchvision_shim import import_torchvision

torch = pytest.importorskip("torch")


def classifier(network, size):
    return Classifier(name="own", revision="", network=network, preprocessing=Preprocessing(size=size))


class Linear(torch.nn.Module):
    """A convolution, ReLU, the mean over all places, and one linear layer: its maps have closed forms."""

    def __init__(self, channels=3, classes=4):
        super().__init__()
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, channels, 3, 2, 1), torch.nn.ReLU(inplace=True))
        self.head = torch.nn.Linear(channels, classes)

    def forward(self, images):
        return self.head(self.features(images).mean((2, 3)))


def timm(name, size, **options):
    pytest.importorskip("timm", exc_type=ImportError)
    import timm

    return classifier(timm.create_model(name, num_classes=7, **options), size)


def torchvision(make, size):
    import_torchvision()
    from torchvision import models

    return classifier(make(models), size)


def transformers(kind, size, **options):
    library = pytest.importorskip("transformers")
    config = getattr(library, f"{kind}Config")(image_size=size, num_labels=7, **options)
    network = getattr(library, f"{kind}ForImageClassification")(config)
    network.register_forward_hook(lambda _module, _inputs, output: output.logits)
    return classifier(network, size)


VIT = {"embed_dim": 32, "depth": 2, "num_heads": 2}
SWIN = {"window_size": 4, "embed_dim": 24, "depths": (1, 1), "num_heads": (2, 2)}
HF_VIT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 16,
}
SMALL = {"depths": (1, 1, 1, 1), "dims": (8, 8, 16, 16)}

FAMILIES = {
    "resnet": (lambda: timm("test_resnet", 64), "layer4", (2, 2)),
    "efficientnet": (lambda: timm("test_efficientnet", 64), "bn2", (2, 2)),
    "convnext": (lambda: timm("convnext_atto", 64, **SMALL), "norm_pre", (2, 2)),
    "vit": (lambda: timm("vit_tiny_patch16_224", 48, img_size=48, **VIT), "blocks.1.norm1", (3, 3)),
    "vit with registers": (
        lambda: timm("vit_small_patch14_reg4_dinov2", 70, img_size=70, **VIT),
        "blocks.1.norm1",
        (5, 5),
    ),
    "vit with averaged tokens": (
        lambda: timm("vit_base_patch16_siglip_224", 48, img_size=48, **VIT),
        "blocks.1.norm1",
        (3, 3),
    ),
    "deit": (lambda: timm("deit_tiny_distilled_patch16_224", 48, img_size=48, **VIT), "blocks.1.norm1", (3, 3)),
    "swin": (lambda: timm("swin_tiny_patch4_window7_224", 64, img_size=64, **SWIN), "norm", (8, 8)),
    "torchvision resnet": (lambda: torchvision(lambda models: models.resnet18(), 64), "layer4", (2, 2)),
    "torchvision vgg": (lambda: torchvision(lambda models: models.vgg11(), 64), "features", (2, 2)),
    "torchvision vit": (
        lambda: torchvision(lambda models: models.VisionTransformer(48, 16, 2, 2, 32, 32, num_classes=7), 48),
        "encoder.layers.encoder_layer_1.ln_1",
        (3, 3),
    ),
    "torchvision swin": (
        lambda: torchvision(
            lambda models: models.SwinTransformer([4, 4], 24, [1, 1], [2, 2], [4, 4], num_classes=7), 64
        ),
        "permute",
        (8, 8),
    ),
    "torchvision densenet": (
        lambda: torchvision(lambda models: models.DenseNet(8, (1, 1, 1, 1), 16), 64),
        "features",
        (2, 2),
    ),
    "transformers vit": (lambda: transformers("ViT", 48, **HF_VIT), "vit.layers.1.layernorm_before", (3, 3)),
    "transformers dinov2": (
        lambda: transformers("Dinov2WithRegisters", 48, **HF_VIT),
        "dinov2_with_registers.encoder.layer.1.norm1",
        (3, 3),
    ),
    "transformers swin": (
        lambda: transformers("Swin", 64, embed_dim=24, depths=[1, 1], num_heads=[2, 2], window_size=4),
        "swin.layernorm",
        (8, 8),
    ),
    "transformers convnext": (
        lambda: transformers("ConvNext", 64, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1]),
        "convnext.encoder.stages.3",
        (2, 2),
    ),
}


def build(family):
    """Return one of the `FAMILIES`, with weights that leave no layer without effect."""
    make, layer, grid = FAMILIES[family]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = make()
        for weight in made.network.parameters():
            if weight.ndim > 1 and not weight.any():  # heads of some begin at 0
                torch.nn.init.normal_(weight, std=0.1)
    made.network.eval()
    return made, layer, grid


def images(number, size, seed=0):
    return torch.rand(number, 3, size, size, generator=torch.Generator().manual_seed(seed))
