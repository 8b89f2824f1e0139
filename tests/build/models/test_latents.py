import pytest
import torch

pytest.importorskip("diffusers", reason="autoencoders are of diffusers")

from producers.infill.latents import decoded, encoded
from tests.build import tiny_models


@pytest.fixture
def images():
    with tiny_models.seeded(2):
        return torch.rand(2, 3, 32, 48)


def vae(**options):
    with tiny_models.seeded():
        return tiny_models.vae_of(**options).eval()


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("options", [{"scaling_factor": 0.2}, {"scaling_factor": 0.4, "shift_factor": 0.1}])
def test_latents_are_scaled_as_diffusers_says(images, options):
    from diffusers.image_processor import VaeImageProcessor

    network = vae(**options)
    with torch.inference_mode():
        drawn = network.encode(images * 2 - 1).latent_dist.sample(generators(1))
        found = encoded(network, images, generators(1, 2))
        back = decoded(network, found)
        raw = network.decode(found / network.config.scaling_factor + (network.config.shift_factor or 0)).sample
    expected = (drawn - (network.config.shift_factor or 0)) * network.config.scaling_factor
    torch.testing.assert_close(found[:1], expected[:1])
    torch.testing.assert_close(back, VaeImageProcessor().postprocess(raw, output_type="pt"))


def test_draws_belong_to_the_generator_not_to_the_batch(images):
    network = vae()
    with torch.inference_mode():
        both = encoded(network, images, generators(1, 2))
        torch.testing.assert_close(both[1:], encoded(network, images[1:], generators(2)))
        assert (both[1:] - encoded(network, images[1:], generators(1))).abs().max() > 0.01
