"""Encoders of segmentation_models_pytorch in the place of the plain U-Net's levels."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")
if find_spec("segmentation_models_pytorch") is None:
    pytest.skip("segmentation_models_pytorch is not installed", allow_module_level=True)

from tests.torchvision_shim import import_torchvision  # noqa: E402

import_torchvision()

from fornet_hf.errors import ConfigurationError, NotFoundError  # noqa: E402
from producers.segment.networks.card import Card, NetworkSpec  # noqa: E402
from producers.segment.networks.files import drawn, read_segmenter, write_segmenter  # noqa: E402
from tests.build.distil.drawn import write_drawn  # noqa: E402

SPEC = NetworkSpec(encoder="tu-test_efficientnet", decoder="linknet")


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


def test_an_encoder_is_trained_and_goes_on_without_its_weights_being_fetched(tmp_path, monkeypatch):
    pytest.importorskip("accelerate")
    from producers.distil.configuration import Training
    from producers.distil.store import TRAIN, VALIDATION, make_store
    from producers.distil.training import SEGMENTER, Trainer
    from producers.pairs.reading import read_pairs
    from producers.training.machine import accelerator
    from producers.training.run import TrainingRun

    pairs = read_pairs(*write_drawn(tmp_path, 4))
    store = make_store(tmp_path / "pairs", {}, [(pairs, {0: TRAIN, 1: TRAIN, 2: VALIDATION})], 32)
    training = Training(encoder=SPEC.encoder, decoder=SPEC.decoder, side=32, batch_size=2, steps=1)
    Trainer(training, store, TrainingRun(tmp_path), accelerator("cpu", "float32"), {}).train()
    assert read_segmenter(tmp_path / SEGMENTER)[1].network == SPEC
    offline = replace(training, encoder_weights="imagenet", steps=2)
    Trainer(offline, store, TrainingRun(tmp_path), accelerator("cpu", "float32"), {}).train()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match="Start it once with the network"):
        drawn(replace(SPEC, encoder="resnet18"), 0, "imagenet")


@pytest.mark.parametrize("name", ["nothing", "tu-nothing"])
def test_an_unknown_encoder_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"the encoder {name}"):
        drawn(NetworkSpec(encoder=name), 0)
