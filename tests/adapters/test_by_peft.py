"""LoRA of peft, also where peft alone would be wrong."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft", exc_type=ImportError)
from torch import nn  # noqa: E402

from fornet_hf.adapters import AdapterConfig, merge, tune  # noqa: E402
from tests.adapters.networks import stir  # noqa: E402

SHAPES = {
    "kernel 1": {"kernel_size": 1},
    "kernel 7, stride": {"kernel_size": 7, "stride": 2, "padding": 3},
    "dilation": {"kernel_size": 3, "dilation": 2, "padding": 2},
    "reflect": {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    "same": {"kernel_size": 3, "padding": "same", "dilation": 2},
    "groups": {"kernel_size": 3, "groups": 2},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_lora_begins_as_the_layer_and_merges_into_it(shape):
    layer, images = nn.Conv2d(4, 8, **shape), torch.rand(2, 4, 10, 12)
    base = layer(images)
    tuned = tune(nn.Sequential(layer, nn.Linear(2, 2)), AdapterConfig(kind="lora", targets=("0",))).eval()
    assert tuned[0](images).equal(base)
    answer = stir(tuned)[0](images)
    assert not torch.allclose(answer, base, atol=1e-2)
    if "groups" not in shape:
        torch.testing.assert_close(merge(tuned)[0](images), answer, rtol=1e-4, atol=1e-5)


def test_dropout_counts_in_training_alone():
    network = nn.Sequential(nn.Linear(50, 4), nn.Linear(4, 2)).eval()
    tuned = stir(tune(network, AdapterConfig(kind="lora", targets=("0",), dropout=0.5)))
    vectors = torch.rand(2, 50)
    assert tuned(vectors).equal(tuned(vectors))
    tuned.train()
    assert not tuned(vectors).equal(tuned(vectors))


def test_only_the_layers_named_get_an_adapter():
    network = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4)), nn.Linear(4, 2))
    tuned = tune(network, AdapterConfig(kind="lora", targets=("1.0",)))
    assert [name for name, _ in tuned.named_parameters() if ".lora_" in name] == [
        "1.0.lora_A.default.weight",
        "1.0.lora_B.default.weight",
    ]
