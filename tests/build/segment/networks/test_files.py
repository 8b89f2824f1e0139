"""Files of trained segmenters: whole, and as somebody else may have written them."""

import dataclasses
import json
import sys

import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from fornet_hf.errors import ConfigurationError, MissingDependencyError, NotFoundError  # noqa: E402
from producers.segment.networks.card import Card, NetworkSpec  # noqa: E402
from producers.segment.networks.files import built, drawn, read_card, read_segmenter, write_segmenter  # noqa: E402

SPEC = NetworkSpec(widths=(4, 8), classes=2, bilinear=True)
CARD = Card(network=SPEC, side=32, threshold=0.4, trained={"steps": 3, "scores": {"iou": 0.5}})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "segmenter.safetensors"
    write_segmenter(path, drawn(SPEC, 3), CARD)
    return path


def test_a_file_gives_back_what_was_written(file):
    network, card = read_segmenter(file)
    assert card == read_card(file) == CARD
    assert json.loads(file.with_suffix(".json").read_text())["network"]["widths"] == [4, 8]
    assert not network.training
    for name, tensor in drawn(SPEC, 3).state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])


def test_drawn_weights_follow_from_the_seed_and_leave_torchs_generator_alone():
    before = torch.get_rng_state()
    first, second, third = (drawn(SPEC, seed).head.weight for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_file_that_is_cut_off_is_refused(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ConfigurationError, match="not a whole safetensors file"):
        read_segmenter(file)


def test_a_missing_file_and_one_of_something_else_are_refused(tmp_path, file):
    with pytest.raises(NotFoundError, match="train_segmenter"):
        read_card(tmp_path / "none.safetensors")
    safetensors_torch.save_file({"a": torch.zeros(2)}, file, {"format": "pt"})
    with pytest.raises(ConfigurationError, match="no card of a segmenter"):
        read_card(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "the card's format"),
        ({"side": 0}, "side is not allowed"),
        ({"side": "32"}, "side is not allowed"),
        ({"mean": [0, 0]}, "mean is not allowed"),
        ({"std": [1, 1, 0]}, "std is not allowed"),
        ({"threshold": 1.5}, "threshold is not allowed"),
        ({"network": None}, "NetworkSpec is not allowed"),
        ({"network": {"widths": [10**9, 2]}}, "widths is not allowed"),
        ({"network": {"widths": [2] * 99}}, "widths is not allowed"),
        ({"network": {"widths": 3}}, "widths is not allowed"),
        ({"network": {"classes": 3}}, "classes is not allowed"),
        ({"network": {"encoder": ["os.system"]}}, "encoder is not allowed"),
        ({"network": {"encoder": "tu-hf-hub:somebody/something"}}, "encoder is not allowed"),
        ({"network": {"code": "import os"}}, "NetworkSpec is not allowed"),
        ({"trained": 4}, "trained is not allowed"),
        ({"more": 4}, "Card is not allowed"),
    ],
)
def test_a_hostile_card_is_refused(file, change, message):
    text = json.dumps({**CARD.to_json(), **change})
    safetensors_torch.save_file({"a": torch.zeros(2)}, file, {"fornet_segmenter": text})
    with pytest.raises(ConfigurationError, match=message):
        read_card(file)


@pytest.mark.parametrize("text", ["", "[" * 10**5, "3", "null", '{"format": 1}'])
def test_a_card_that_is_no_object_is_refused(file, text):
    safetensors_torch.save_file({"a": torch.zeros(2)}, file, {"fornet_segmenter": text})
    with pytest.raises(ConfigurationError):
        read_card(file)


def test_weights_of_another_network_and_weights_that_are_no_numbers_are_refused(file):
    write_segmenter(file, drawn(NetworkSpec(widths=(4, 6)), 0), CARD)
    with pytest.raises(ConfigurationError, match="the weights do not fit the card"):
        read_segmenter(file)
    network = drawn(SPEC, 0)
    with torch.no_grad():
        network.head.bias.fill_(float("nan"))
    write_segmenter(file, network, CARD)
    with pytest.raises(ConfigurationError, match="weights are not numbers"):
        read_segmenter(file)


@pytest.mark.parametrize("kind", [torch.float16, torch.float8_e4m3fn])
def test_weights_may_be_kept_in_fewer_bits(file, kind):
    tensors = {
        name: one.to(kind) if one.is_floating_point() else one
        for name, one in safetensors_torch.load_file(file).items()
    }
    safetensors_torch.save_file(tensors, file, {"fornet_segmenter": json.dumps(CARD.to_json())})
    assert all(one.dtype == torch.float32 for one in read_segmenter(file)[0].parameters())


def test_an_encoder_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(MissingDependencyError, match="pip install segmentation-models-pytorch"):
        built(NetworkSpec(encoder="resnet18"))


def test_a_card_is_a_value():
    assert dataclasses.replace(CARD, side=64) != CARD
    assert Card.from_json(json.dumps(CARD.to_json())) == CARD
