import numpy as np
import pytest
import torch

pytest.importorskip("diffusers", reason="background diffusion needs diffusers")

from fornet_hf.errors import ConfigurationError
from producers.devices.placement import Placement
from producers.diffusion.concepts import Concepts
from producers.diffusion.model import load
from producers.infill.background_diffusion import BackgroundDiffusion, load_background_diffusion
from producers.infill.background_settings import BackgroundSettings
from producers.registry import Choice, find
from tests.build import tiny_models

QUICK = BackgroundSettings(side=64, steps=3)
CONCEPTS = Concepts.of("cat")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.stable_diffusion_folder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder):
    return load(Placement(), str(folder))


@pytest.fixture(scope="module")
def images():
    """Three shapes, of which one has no hole."""
    rng = np.random.default_rng(4)
    rasters = [
        rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in ((60, 90), (90, 41), (80, 80), (64, 64))
    ]
    holes = [np.zeros(one.shape[:2], bool) for one in rasters]
    for index, hole in enumerate(holes[:3]):
        hole[10 + index : 40, 12 : 30 + index] = True
    return rasters, holes


def infilled(model, images, settings=QUICK, **options):
    return BackgroundDiffusion(model, CONCEPTS, settings, **options).infill(*images)


@pytest.fixture(scope="module")
def filled(model, images):
    return infilled(model, images, batch_size=2)


def test_nothing_changes_outside_of_the_hole(images, filled):
    for raster, hole, found in zip(*images, filled, strict=True):
        assert found.dtype == np.uint8
        assert np.array_equal(found[~hole], raster[~hole])
        assert not hole.any() or (found[hole] != raster[hole]).mean() > 0.5


def test_the_image_fades_into_the_infilling(model, images, filled):
    sharp = infilled(model, images, BackgroundSettings(side=64, steps=3, feather=0))
    edge = np.zeros_like(images[1][0])
    edge[10, 12:30] = True
    raster, soft, hard = (one[0].astype(int)[edge] for one in (images[0], filled, sharp))
    assert np.abs(soft - raster).mean() < np.abs(hard - raster).mean() / 4


def test_a_batch_equals_single_images_in_any_order(model, images, filled):
    backwards = [list(reversed(one)) for one in images]
    alone = reversed(infilled(model, backwards, batch_size=1))
    for one, other in zip(filled, alone, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


def test_noise_depends_on_the_seed_and_the_image(model, images, filled):
    other = infilled(model, images, BackgroundSettings(side=64, steps=3, seed=1))
    assert (other[0] != filled[0]).any()
    assert np.array_equal(infilled(model, images, batch_size=2)[0], filled[0])


def test_outside_of_the_hole_there_is_the_image_noised_anew_in_each_step(model, images, monkeypatch):
    """With a network that finds no noise in anything, all latents follow closed forms."""
    seen, last, decode = [], [], type(model).decoded

    def watched(_, latents, timesteps, __):
        seen.append((timesteps.item(), latents[0].clone()))
        return torch.zeros_like(latents)

    def decoded(self, latents):
        last.append(latents[0].clone())
        return decode(self, latents)

    monkeypatch.setattr(type(model), "predicted", watched)
    monkeypatch.setattr(type(model), "decoded", decoded)
    infilled(model, [one[:1] for one in images], BackgroundSettings(side=64, steps=2))
    (high, first), (low, second) = seen
    (known,) = last
    assert (high, low) == (501, 1)
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[0:4, 1:3] = True  # rows 10 to 40 and columns 12 to 30 of 60 x 90, on a canvas of 64
    noise = []
    for time, latents in seen:
        alpha = model.alphas[time]
        noise.append(((latents - alpha.sqrt() * known) / (1 - alpha).sqrt())[:, ~inside].flatten())
    assert all(abs(one.std() - 1) < 0.2 for one in noise)
    assert abs(torch.corrcoef(torch.stack(noise))[0, 1]) < 0.3
    # Inside, steps without noise do nothing but grow what the first one began with.
    growth = (model.alphas[low] / model.alphas[high]).sqrt()
    torch.testing.assert_close(second[:, inside], growth * first[:, inside])
    torch.testing.assert_close(known[:, inside], (model.alphas[0] / model.alphas[low]).sqrt() * second[:, inside])


def test_guidance_leads_away_from_the_object(model, images, filled):
    guided = infilled(model, images, BackgroundSettings(side=64, steps=3, guidance=5.0))
    assert (guided[0] != filled[0]).any()


def test_the_registration_loads_a_fine_tuned_folder(folder, images):
    choice = Choice("background-diffusion", str(folder), settings=(("steps", "2"), ("side", "64")))
    with pytest.raises(ConfigurationError, match="was not fine-tuned on two prompts"):
        find("infiller", choice.name).load(choice)
    CONCEPTS.write(folder)
    loaded = find("infiller", choice.name).load(choice)
    settings = dict(loaded.identity.settings)
    assert (settings["prompt"], settings["steps"]) == ("a photo of a background", 2)
    assert loaded.identity.revision.startswith("sha256:")
    given = load_background_diffusion(Placement(), str(folder), settings=BackgroundSettings(prompt="a lawn"))
    assert dict(given.identity.settings)["prompt"] == "a lawn"


def test_a_model_has_to_be_named():
    with pytest.raises(ConfigurationError, match="needs a model; allowed: --infiller background-diffusion=MODEL"):
        find("infiller", "background-diffusion").check(Choice("background-diffusion"))


@pytest.mark.parametrize("wrong", [{"side": 500}, {"steps": 0}, {"guidance": -1.0}, {"feather": -1}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} is not allowed"):
        BackgroundSettings(**wrong)
