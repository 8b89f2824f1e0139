"""Encoders of segmentation_models_pytorch in the place of the plain U-Net's levels."""

from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")
if find_spec("segmentation_models_pytorch") is None:
    pytest.skip("segmentation_models_pytorch is not installed", allow_module_level=True)

from tests.torchvision_shim import import_torchvision  # noqa: E402

import_torchvision()

from fornet_hf.errors import ConfigurationError  # noqa: E402
from producers.segment.networks.card import Card, NetworkSpec  # noqa: E402
from producers.segment.networks.files import drawn, read_segmenter, write_segmenter  # noqa: E402

SPEC = NetworkSpec(encoder="resnet18", decoder="fpn")


def test_an_encoder_makes_a_network_that_goes_through_a_file(tmp_path):
    network = drawn(SPEC, 0).eval()
    images = torch.randn(1, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    write_segmenter(tmp_path / "a.safetensors", network, Card(network=SPEC, side=32))
    again, card = read_segmenter(tmp_path / "a.safetensors")
    assert card.network == SPEC
    with torch.inference_mode():
        found = again(images)
        assert found.shape == (1, 1, 32, 64)
        assert torch.equal(found, network(images))


@pytest.mark.parametrize("name", ["nothing", "tu-nothing"])
def test_an_unknown_encoder_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"the encoder {name}"):
        drawn(NetworkSpec(encoder=name), 0)
