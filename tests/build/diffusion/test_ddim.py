import pytest
import torch

pytest.importorskip("diffusers", reason="diffusion needs diffusers")

from fornet_hf.errors import ConfigurationError
from producers.devices.placement import Placement
from producers.diffusion.ddim import denoised
from producers.diffusion.model import load
from producers.diffusion.noise import normal
from producers.diffusion.steps import grid
from tests.build import tiny_models

NOISE = normal((2, 4, 8, 8), "noise")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(Placement(), str(tiny_models.stable_diffusion_folder(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def tokens(model):
    return model.encoded(["a cat", "a dog"])


def by_formula(model, latents, tokens, steps):
    """DDIM with eta 0 as the paper has it; before the lowest step comes the first of training."""
    times = grid(steps)
    with torch.no_grad():
        for time, before in reversed(list(zip(times, (0, *times), strict=False))):
            alpha, least = model.alphas[time], model.alphas[before]
            noise = model.predicted(latents, torch.full((len(latents),), time), tokens.expand(len(latents), -1, -1))
            image = (latents - (1 - alpha).sqrt() * noise) / alpha.sqrt()
            latents = least.sqrt() * image + (1 - least).sqrt() * noise
    return latents


def test_noise_is_taken_away_as_the_formula_says(model, tokens):
    torch.testing.assert_close(denoised(model, NOISE, tokens[:1], steps=5), by_formula(model, NOISE, tokens[:1], 5))


def test_the_steps_are_those_of_the_grid(model, tokens, monkeypatch):
    seen = []
    monkeypatch.setattr(type(model), "predicted", lambda _, latents, *__: latents)
    denoised(model, NOISE, tokens, steps=50, blend=lambda latents, time: seen.append(time) or latents)
    assert tuple(reversed(seen)) == grid(50)


def test_guidance_of_1_asks_the_prompt_alone_and_of_0_the_other(model, tokens):
    def made(guidance):
        return denoised(model, NOISE, tokens[:1], steps=2, guidance=guidance, opposite=tokens[1:])

    alone = [denoised(model, NOISE, one, steps=2) for one in tokens.split(1)]
    torch.testing.assert_close(made(1.0), alone[0])
    torch.testing.assert_close(made(0.0), alone[1])
    assert (made(3.0) - alone[0]).abs().max() > 1e-4


def test_a_step_begins_with_what_was_blended(model, tokens):
    fixed = normal(NOISE.shape, "fixed")
    one = denoised(model, NOISE, tokens, steps=3, blend=lambda _, time: fixed * time)
    other = denoised(model, NOISE * 2, tokens, steps=3, blend=lambda _, time: fixed * time)
    assert torch.equal(one, other)


def test_values_that_overflow_make_no_image(model, tokens, monkeypatch):
    monkeypatch.setattr(type(model), "predicted", lambda _, latents, *__: latents * float("inf"))
    with pytest.raises(ConfigurationError, match=r"overflow; found float32\. Give --precision bfloat16"):
        denoised(model, NOISE, tokens[:1], steps=2)
