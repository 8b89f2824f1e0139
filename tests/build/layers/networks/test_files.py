"""Files of generators: whole, damaged, and of something else."""

import json

import pytest

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

from fornet_hf.errors import ConfigurationError, NotFoundError  # noqa: E402
from producers.devices.carded import seeded  # noqa: E402
from producers.layers.networks.card import GeneratorCard, LayerSpec  # noqa: E402
from producers.layers.networks.files import read_card, read_generator, write_generator  # noqa: E402
from producers.layers.networks.generator import LayerGenerator  # noqa: E402

SPEC = LayerSpec(side=16, latent=8, style=8, mapping=2, base=64, most=8)
CARD = GeneratorCard(network=SPEC, trained={"kimg": 3})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "000003.safetensors"
    write_generator(path, seeded(3, LayerGenerator, SPEC).to(memory_format=torch.channels_last), CARD)
    return path


def test_a_file_gives_back_what_was_written(file):
    generator, card = read_generator(file)
    assert card == read_card(file) == CARD
    assert json.loads(file.with_suffix(".json").read_text())["trained"] == {"kimg": 3}
    assert not generator.training
    latents = torch.ones(1, 8)
    for one, other in zip(generator(latents), seeded(3, LayerGenerator, SPEC)(latents), strict=True):
        torch.testing.assert_close(one, other)


def test_constant_noise_is_kept(file):
    generator, _ = read_generator(file)
    assert torch.equal(
        generator.foreground.convolutions[2].noise, seeded(3, LayerGenerator, SPEC).foreground.convolutions[2].noise
    )


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_file_that_is_cut_off_is_refused(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ConfigurationError, match="not a whole safetensors file"):
        read_generator(file)


def test_a_missing_file_and_one_of_something_else_are_refused(tmp_path, file):
    with pytest.raises(NotFoundError, match="train_layers"):
        read_card(tmp_path / "none.safetensors")
    safetensors_torch.save_file({"a": torch.zeros(2)}, file, {"fornet_segmenter": "{}"})
    with pytest.raises(ConfigurationError, match="no card of a generator"):
        read_card(file)
    safetensors_torch.save_file({"a": torch.zeros(2)}, file, {"fornet_layers": '{"format": 1}'})
    with pytest.raises(ConfigurationError, match="000003"):
        read_card(file)


def test_weights_of_another_network_and_weights_that_are_no_numbers_are_refused(file):
    other = LayerSpec(side=32, latent=8, style=8, mapping=2, base=64, most=8)
    write_generator(file, seeded(0, LayerGenerator, other), CARD)
    with pytest.raises(ConfigurationError, match="the weights do not fit the card"):
        read_generator(file)
    generator = seeded(0, LayerGenerator, SPEC)
    with torch.no_grad():
        generator.foreground.bias.fill_(float("nan"))
    write_generator(file, generator, CARD)
    with pytest.raises(ConfigurationError, match="weights are not numbers"):
        read_generator(file)
