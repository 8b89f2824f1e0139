"""Stable Diffusion 1 with random weights: what it costs, not what it sees. At a fraction of its width for CPUs."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from producers.devices.placement import Placement
from producers.diffusion.model import DDIM, Diffusion
from tests.build.tiny_models import clip_tokenizer

CHANNELS, GROUPS = (320, 640, 1280, 1280), 32
WORDS = 768  # channels of a token


def unet(fraction: int = 1) -> UNet2DConditionModel:
    """The U-Net: 860 million parameters at full width."""
    widths = tuple(width // fraction for width in CHANNELS)
    return UNet2DConditionModel(
        block_out_channels=widths,
        cross_attention_dim=WORDS,
        attention_head_dim=8,  # diffusers takes it for the number of heads, as Stable Diffusion 1 has it
        norm_num_groups=GROUPS // fraction,
    ).eval()


def vae(fraction: int = 1) -> AutoencoderKL:
    """The autoencoder: 84 million parameters at full width."""
    return AutoencoderKL(
        block_out_channels=tuple(width // fraction for width in (128, 256, 512, 512)),
        layers_per_block=2,
        latent_channels=4,
        norm_num_groups=GROUPS // fraction,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    ).eval()


def stable_diffusion(placement: Placement, fraction: int = 1) -> Diffusion:
    """All of it, in the precision of the placement."""
    tokenizer = clip_tokenizer()
    config = CLIPTextConfig(
        hidden_size=WORDS,
        intermediate_size=4 * WORDS,
        num_hidden_layers=12,
        num_attention_heads=12,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.device(placement.device):  # where they are used, weights are drawn at once
        networks = [unet(fraction), vae(fraction), CLIPTextModel(config).eval()]
    kept = [network if network.dtype == placement.dtype else network.to(placement.dtype) for network in networks]
    return Diffusion(
        unet=kept[0],
        vae=kept[1],
        tokenizer=tokenizer,
        text_encoder=kept[2],
        placement=placement,
        source=("random", "0"),
        scheduler=DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **DDIM),
    )
