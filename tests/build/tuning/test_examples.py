import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler

from producers.devices.placement import Placement
from producers.diffusion.concepts import Concepts
from producers.diffusion.model import Diffusion
from producers.diffusion.noise import normal
from producers.training.visits import Visit
from producers.tuning.examples import BACKGROUND, OBJECT, Batch, batch_of, example, masked_error, target
from producers.tuning.posteriors import Crop
from producers.tuning.settings import TuningSettings

SETTINGS = TuningSettings(concepts=Concepts.of("cat"), seed=3)


class Flat:
    """Posteriors of one image: grey, an object on the left half."""

    def crop(self, _index, side, _rng):
        objects = np.zeros((side, side), bool)
        objects[:, : side // 2] = True
        return Crop(np.full((4, side, side), 2, np.float32), np.full((4, side, side), 0.5, np.float32), objects)


@pytest.fixture(scope="module")
def visited():
    return [example(Flat(), Visit(epoch, 0), SETTINGS) for epoch in range(200)]


def test_whole_images_have_the_objects_prompt_and_rectangles_of_background_the_other(visited):
    for one in visited:
        if one.prompt == OBJECT:
            assert one.counts.all()
        else:
            assert not one.counts[:, :32].any()
            assert 256 * 2 / 3 <= one.counts.sum() <= 1024
    assert 70 < sum(one.prompt == BACKGROUND for one in visited) < 130


def test_latents_are_drawn_and_timesteps_are_uniform(visited):
    latents = np.stack([one.latents for one in visited])
    noise = np.stack([one.noise for one in visited])
    assert abs(latents.mean() - 2) < 0.01
    assert abs(latents.std() - 0.5) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert abs(np.corrcoef(latents.ravel(), noise.ravel())[0, 1]) < 0.01
    steps = [one.timestep for one in visited]
    assert min(steps) < 50
    assert max(steps) > 950
    assert abs(np.mean(steps) - 499.5) < 70


def test_a_visit_is_the_same_whenever_it_is_drawn():
    first, again = (example(Flat(), Visit(7, 0), SETTINGS) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not np.array_equal(first.noise, example(Flat(), Visit(8, 0), SETTINGS).noise)


def test_the_loss_looks_only_where_cells_count_and_small_parts_weigh_little():
    wanted, counts = torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 8, dtype=torch.bool)
    counts[:, 2:4, 2:4] = True
    predicted = wanted.clone().requires_grad_()
    error = masked_error(predicted + 3, wanted, counts)
    assert float(error.detach()) == pytest.approx(9 * 4 / 64)
    error.backward()
    assert (predicted.grad != 0).any(1).squeeze().tolist() == counts.squeeze().tolist()
    none = masked_error(predicted + 3, wanted, torch.zeros_like(counts))
    assert float(none.detach()) == 0


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
def test_the_target_is_that_of_diffusers(kind):
    scheduler = DDIMScheduler(prediction_type=kind, beta_schedule="scaled_linear")
    nothing = dict.fromkeys(("unet", "vae", "tokenizer", "text_encoder"))
    model = Diffusion(**nothing, placement=Placement(), source=("", ""), scheduler=scheduler)
    latents, noise = normal((3, 4, 8, 8), "latents"), normal((3, 4, 8, 8), "noise")
    steps = torch.tensor([0, 500, 999])
    batch = Batch(latents, noise, torch.ones(3, 8, 8), torch.zeros(3), steps)
    expected = noise if kind == "epsilon" else scheduler.get_velocity(latents, noise, steps)
    torch.testing.assert_close(target(model, batch), expected)


def test_a_batch_has_the_types_that_training_takes(visited):
    batch = batch_of(visited[:3], "cpu")
    assert batch.latents.shape == batch.noise.shape == (3, 4, 64, 64)
    assert (batch.latents.dtype, batch.counts.dtype, batch.prompts.dtype) == (torch.float32, torch.bool, torch.int64)
