"""Latent diffusion models of diffusers: the networks of Stable Diffusion 1 and 2, loaded and called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from producers.devices.placement import Placement
from producers.devices.weights import commit_of, from_hub, name_of

FETCH = (
    '--include "*.json" --include "*.txt" --include "*/*model.safetensors" --exclude "safety_checker/*" '
    "# 4.3 GB for Stable Diffusion 1"  # 1,066 million parameters of 4 bytes
)
"""For `hf download`, and a comment of the shell: a repository has the same weights in other formats, too."""

DDIM = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1, "timestep_spacing": "leading"}
"""Settings of the scheduler: it takes the steps of `steps.grid`, 981 to 1, and one from there to 0."""

_LONGEST = 10**6  # tokens: what transformers has in place of a limit that it does not know is far beyond


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """A latent diffusion model.

    Attributes:
        unet: predicts the noise, or what `prediction_type` says.
        vae: from images to latents and back.
        tokenizer: of prompts.
        text_encoder: from tokens to what the U-Net attends to.
        placement: of the networks.
        source: id and revision, as the manifest names them.
        scheduler: of DDIM as Stable Diffusion uses it, whatever the model comes with.
    """

    unet: Any
    vae: Any
    tokenizer: Any
    text_encoder: Any
    placement: Placement
    source: tuple[str, str]
    scheduler: Any

    @property
    def prediction_type(self) -> str:
        """`epsilon` or `v_prediction`."""
        return str(self.scheduler.config.prediction_type)

    @property
    def alphas(self) -> torch.Tensor:
        """The share of the image's variance left at each step of training: float32, 1000, on the CPU."""
        result: torch.Tensor = self.scheduler.alphas_cumprod.float()
        return result

    @torch.no_grad()
    def encoded(self, prompts: Sequence[str]) -> torch.Tensor:
        """Return the prompts, cut off after 77 tokens, as the U-Net attends to them: n x 77 x channels."""
        ids = self.tokenizer(
            list(prompts), padding="max_length", truncation=True, max_length=self.tokenizer.model_max_length
        )["input_ids"]
        result: torch.Tensor = self.text_encoder(torch.tensor(ids, device=self.placement.device))[0]
        return result

    @torch.no_grad()
    def latents(self, images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        """Return latents drawn from the posterior of images: float32, n x channels x h/8 x w/8.

        Args:
            images: n x 3 x h x w, -1 to 1.
            draws: standard normal numbers of the result's shape.
        """
        posterior = self.vae.encode(images.to(self.placement.device, self.vae.dtype)).latent_dist
        drawn = posterior.mean.float() + posterior.std.float() * draws.to(self.placement.device)
        result: torch.Tensor = drawn * self.vae.config.scaling_factor
        return result

    @torch.no_grad()
    def decoded(self, latents: torch.Tensor) -> torch.Tensor:
        """Return the images of latents: float32, n x 3 x h x w, about -1 to 1."""
        scaled = (latents / self.vae.config.scaling_factor).to(self.vae.dtype)
        result: torch.Tensor = self.vae.decode(scaled).sample.float()
        return result

    def alphas_at(self, timesteps: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Return `alphas` at these timesteps (int64, n) on a device, n x 1 x 1 x 1."""
        known = self.alphas.to(device, non_blocking=True)  # a GPU need not be done with what came before
        return known[timesteps.to(device, non_blocking=True)].view(-1, 1, 1, 1)

    def noised(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        """Return latents (n x ..) as they are at these timesteps (int64, n) of diffusion, with this noise."""
        alphas = self.alphas_at(timesteps, latents.device)
        result: torch.Tensor = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise.to(latents.device)
        return result

    def predicted(self, latents: torch.Tensor, timesteps: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return what the U-Net predicts (see `prediction_type`) for noised latents: float32, of their shape."""
        kind = self.unet.dtype
        result: torch.Tensor = self.unet(
            latents.to(kind), timesteps.to(latents.device, non_blocking=True), tokens.to(kind), return_dict=False
        )[0]
        return result.float()


def load(placement: Placement, model: str, revision: str | None = None) -> Diffusion:
    """Load Stable Diffusion, or what is laid out like it, from the Hub or a local folder; without a safety checker.

    The weights are held in the precision of the placement. That of the VAE is float32 where it would be float16,
    in which some images overflow.

    Raises:
        NotFoundError: it is not there, or in part; the message has the line that fetches it.
        ConfigurationError: it is a diffusion model of another kind.
    """
    commit = commit_of(model, revision, file="model_index.json", fetch=FETCH)

    def part(folder: str, load: Any, **options: Any) -> Any:
        return from_hub(load, model, commit, subfolder=folder, fetch=FETCH, **options)

    _check(model, part("unet", UNet2DConditionModel.load_config))
    device, dtype = placement.device, placement.dtype
    kept = torch.float32 if dtype == torch.float16 else dtype
    tokenizer = part("tokenizer", CLIPTokenizer.from_pretrained)
    if len(tokenizer) <= len(tokenizer.all_special_ids) or tokenizer.model_max_length > _LONGEST:
        # transformers makes one without words where the files are missing
        then = "Copy the folder `tokenizer` of the model that it was made from."
        found = f"{len(tokenizer)} tokens"
        raise NotFoundError(explain(f"{model} lacks files of its tokenizer", found=found, then=then))
    return Diffusion(
        unet=part("unet", UNet2DConditionModel.from_pretrained, dtype=dtype).to(device),
        vae=part("vae", AutoencoderKL.from_pretrained, dtype=kept).to(device),
        tokenizer=tokenizer,
        text_encoder=part("text_encoder", CLIPTextModel.from_pretrained, dtype=dtype).to(device),
        placement=placement,
        source=(model, name_of(model, commit)),
        scheduler=part("scheduler", DDIMScheduler.from_pretrained, **DDIM),
    )


def _check(model: str, config: Any) -> None:
    """Raise a ConfigurationError if a U-Net wants more than noised latents, a timestep and a prompt."""
    extras = {name: config.get(name) for name in ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type")}
    wanted = [f"{name}={value}" for name, value in extras.items() if value]
    if config["in_channels"] != config["out_channels"]:
        wanted.append(f"in_channels={config['in_channels']}")
    if wanted:
        what = f"{model} is no U-Net of Stable Diffusion 1 or 2"
        allowed = "one that takes latents, a timestep and the tokens of one text encoder (SDXL takes more)"
        raise ConfigurationError(explain(what, found=", ".join(wanted), allowed=allowed))
