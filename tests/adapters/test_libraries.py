"""Networks of timm and torchvision: their heads are found, and the known number of parameters is trained."""

import pytest

from fornet_hf.adapters.settings import ADAPT
from fornet_hf.errors import ConfigurationError
from fornet_hf.evaluation.models import build

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from fornet_hf.adapters import AdapterConfig, trainable, tune  # noqa: E402
from fornet_hf.adapters.layers import adapted, heads  # noqa: E402

CHALLENGE = AdapterConfig(kind="lora", rank=4, alpha=1, targets=("layer4.?.conv2",), bn=ADAPT)


class OwnForward(nn.Linear):
    """A layer that does something else with its weight, as those with standardised weights do."""

    def forward(self, vectors):
        return nn.functional.linear(vectors, self.weight / self.weight.norm())


def made(name, classes=9):
    pytest.importorskip(name.partition(":")[0])
    with torch.device("meta"):  # no memory, no time
        return build(name, classes)


@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_lora_of_the_background_challenge_has_79881_parameters(library):
    pytest.importorskip("peft", exc_type=ImportError)
    learnt = trainable(tune(made(f"{library}:resnet50"), CHALLENGE))
    assert sum(parameter.numel() for _, parameter in learnt) == 3 * (4 * 512 * 9 + 4 * 512) + 2048 * 9 + 9 == 79_881
    assert {name.split(".")[0] for name, _ in learnt} == {"layer4", "fc"}


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("timm:resnet18", ["fc"]),
        ("timm:vit_tiny_patch16_224", ["head"]),
        ("timm:convnext_atto", ["head.fc"]),
        ("timm:deit_tiny_distilled_patch16_224", ["head", "head_dist"]),
        ("timm:mobilenetv3_small_050", ["classifier"]),
        ("torchvision:resnet18", ["fc"]),
        ("torchvision:vit_b_32", ["heads.head"]),
        ("torchvision:mobilenet_v3_small", ["classifier.3"]),
        ("torchvision:squeezenet1_1", ["classifier.1"]),
    ],
)
def test_the_head_is_found(name, head):
    network = made(name)
    assert heads(network, AdapterConfig()) == head
    assert {network.get_submodule(one).weight.shape[0] for one in head} == {9}
    for kind in ("lora", "oft"):
        layers = adapted(network, AdapterConfig(kind=kind))
        assert layers
        assert not any(layer.startswith(end) for layer in layers for end in head)


def test_another_head_may_be_named():
    network = nn.Sequential(nn.Linear(4, 2), nn.Linear(4, 4))
    learnt = trainable(tune(network, AdapterConfig(kind="head", head=["0"])))
    assert [name for name, _ in learnt] == ["0.weight", "0.bias"]
    with pytest.raises(ConfigurationError, match="head: no such layer; found fc; allowed: patterns of 0, 1"):
        tune(network, AdapterConfig(kind="head", head=["fc"]))


@pytest.mark.parametrize(
    ("network", "settings", "message"),
    [
        (nn.Sequential(nn.ReLU()), {"kind": "head"}, "the network has no last layer"),
        (nn.Sequential(nn.Linear(2, 2)), {"kind": "lora"}, "no layer can have the adapter lora"),
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), {"targets": ["1"]}, "targets: no such layer; found 1"),
        (nn.Sequential(nn.Linear(5, 2), nn.Linear(2, 2)), {"kind": "oft", "targets": ["0"]}, "16 blocks do not"),
        (nn.Sequential(OwnForward(4, 4), nn.Linear(2, 2)), {"targets": ["0"]}, r"OwnForward has a forward\(\) of"),
        (
            nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 2)), nn.Linear(2, 2)),
            {"kind": "oft", "blocks": 2, "targets": ["0"]},
            "its weight is computed",
        ),
    ],
)
def test_a_layer_that_cannot_have_the_adapter_is_named(network, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        tune(network, AdapterConfig(**settings))
