import json
import shutil

import pytest
import torch

pytest.importorskip("diffusers", reason="diffusion needs diffusers")

from fnmatch import fnmatch

from huggingface_hub import constants

from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.devices.placement import Placement
from producers.diffusion.model import FETCH, load
from producers.diffusion.noise import normal
from tests.build import tiny_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.stable_diffusion_folder(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture(scope="module")
def model(folder):
    return load(Placement(), str(folder))


def test_a_model_says_its_source_and_the_kind_of_its_prediction(model, folder):
    assert model.source[0] == str(folder)
    assert model.source[1].startswith("sha256:")
    assert model.prediction_type == "epsilon"


def test_the_alphas_are_those_of_stable_diffusion(model):
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    torch.testing.assert_close(model.alphas, (1 - betas).cumprod(0).float(), rtol=1e-4, atol=0)


def test_prompts_are_77_tokens_each_on_its_own(model):
    both = model.encoded(["a photo of a cat", "a photo of a dog"])
    assert both.shape == (2, 77, 32)
    torch.testing.assert_close(both[1:], model.encoded(["a photo of a dog"]), atol=1e-6, rtol=0)
    assert (both[0, 5] != both[1, 5]).any()


def test_latents_are_drawn_from_the_posterior(model):
    images = torch.rand(2, 3, 64, 128) * 2 - 1
    none, one = (model.latents(images, torch.full((2, 4, 8, 16), value)) for value in (0.0, 1.0))
    posterior = model.vae.encode(images).latent_dist
    torch.testing.assert_close(none, posterior.mean * 0.18215)
    torch.testing.assert_close(one - none, posterior.std * 0.18215)


def test_decoding_takes_the_scale_away(model):
    latents = normal((1, 4, 8, 8), "latents")
    torch.testing.assert_close(model.decoded(latents), model.vae.decode(latents / 0.18215).sample)


def test_noise_is_mixed_by_the_step_of_each_image_as_diffusers_does_it(model, folder):
    from diffusers import DDIMScheduler

    latents, noise = normal((3, 4, 8, 8), "latents"), normal((3, 4, 8, 8), "noise")
    steps = torch.tensor([1, 401, 981])
    expected = DDIMScheduler.from_pretrained(folder / "scheduler").add_noise(latents, noise, steps)
    torch.testing.assert_close(model.noised(latents, noise, steps), expected)


def test_training_can_go_through_what_was_encoded(model):
    """The tensors are ordinary ones, not those of inference mode, which backward refuses."""
    latents = model.latents(torch.zeros(1, 3, 64, 64), torch.zeros(1, 4, 8, 8))
    loss = model.predicted(latents, torch.tensor([5]), model.encoded(["a cat"])).square().mean()
    loss.backward()
    assert model.unet.conv_in.weight.grad.abs().max() > 0
    model.unet.zero_grad()


def test_weights_are_held_in_the_precision_that_was_asked_for_but_the_vae_never_in_float16(folder):
    half, brain = (load(Placement("cpu", precision), str(folder)) for precision in ("float16", "bfloat16"))
    assert (half.unet.dtype, half.vae.dtype) == (torch.float16, torch.float32)
    assert (brain.unet.dtype, brain.vae.dtype) == (torch.bfloat16, torch.bfloat16)
    latents = brain.latents(torch.zeros(1, 3, 64, 64), torch.zeros(1, 4, 8, 8))
    predicted = brain.predicted(latents, torch.tensor([5]), brain.encoded(["a cat"]))
    assert latents.dtype == predicted.dtype == torch.float32


def test_missing_weights_say_which_to_fetch_and_their_size(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NotFoundError, match=r"hf download nobody/nothing --include .*4\.3 GB"):
        load(Placement(), "nobody/nothing")


def test_what_to_fetch_is_what_is_loaded(folder):
    words = FETCH.split('"')
    includes, excludes = [one for one in words[1::2] if "safety" not in one], ["safety_checker/*"]
    there = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    beside = ["unet/diffusion_pytorch_model.fp16.safetensors", "v1-4.ckpt", "safety_checker/model.safetensors"]
    fetched = {
        name
        for name in there + beside
        if any(fnmatch(name, one) for one in includes) and not any(fnmatch(name, one) for one in excludes)
    }
    assert fetched == set(there)


def test_a_network_that_wants_more_than_a_prompt_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="SDXL takes more"):
        load(Placement(), str(tiny_models.sdxl_folder(tmp_path)))


def test_a_network_made_for_inpainting_is_refused(folder, tmp_path):
    for part in folder.iterdir():
        (tmp_path / part.name).symlink_to(part)
    (tmp_path / "unet").unlink()
    (tmp_path / "unet").mkdir()
    config = json.loads((folder / "unet" / "config.json").read_text())
    (tmp_path / "unet" / "config.json").write_text(json.dumps({**config, "in_channels": 9}))
    with pytest.raises(ConfigurationError, match="in_channels=9"):
        load(Placement(), str(tmp_path))


def test_files_as_stable_diffusion_1_has_them_on_the_hub_are_read(tmp_path):
    """A tokenizer of two files, which knows places in the text all the same, and another scheduler."""
    tiny_models.stable_diffusion_folder(tmp_path)
    before = load(Placement(), str(tmp_path))
    tokenizer = tmp_path / "tokenizer"
    model = json.loads((tokenizer / "tokenizer.json").read_text())["model"]
    for path in tokenizer.iterdir():
        path.unlink()
    (tokenizer / "vocab.json").write_text(json.dumps(model["vocab"]))
    (tokenizer / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, model["merges"])]) + "\n")
    end = {"__type": "AddedToken", "content": "<|endoftext|>", "lstrip": False, "normalized": True, "rstrip": False}
    names = {"bos_token": {**end, "content": "<|startoftext|>"}, "eos_token": end, "unk_token": end}
    config = {**names, "pad_token": "<|endoftext|>", "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(config))
    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
    scheduler = {"_class_name": "PNDMScheduler", "skip_prk_steps": True, "set_alpha_to_one": False, **betas}
    (tmp_path / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    after = load(Placement(), str(tmp_path))
    assert torch.equal(after.alphas, before.alphas)
    texts = ["a photo of a Great-white shark", "x"]
    assert torch.equal(after.encoded(texts), before.encoded(texts))
    places = [one.tokenizer(texts, return_offsets_mapping=True)["offset_mapping"] for one in (before, after)]
    assert places[0] == places[1]


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json"])
def test_a_folder_without_a_tokenizer_is_told(folder, tmp_path, file):
    """Of transformers it gets one without words, or without a limit."""
    copied = shutil.copytree(folder, tmp_path / "copied")
    (copied / "tokenizer" / file).unlink()
    with pytest.raises(NotFoundError, match=r"lacks files of its tokenizer.*Copy the folder `tokenizer`"):
        load(Placement(), str(copied))
