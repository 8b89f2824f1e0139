"""The folder of a fine-tuned model: laid out as diffusers has it, so that all that loads such models loads it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

from fornet_hf.files import atomic_path, stored
from producers.diffusion.concepts import Concepts
from producers.diffusion.model import Diffusion


def write_result(folder: Path, model: Diffusion, weights: Mapping[str, torch.Tensor], concepts: Concepts) -> None:
    """Write the model with other weights of the U-Net; of a folder that is there only these change.

    All parts are in the folder: VAE and text encoder take 0.8 GB of 4.3, and it needs nothing else.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    with stored(folder):
        if not folder.is_dir():
            unfinished = folder.with_name(f".{folder.name}.tmp")
            shutil.rmtree(unfinished, ignore_errors=True)
            _pipeline(model).save_pretrained(unfinished)
            mode = (unfinished / "model_index.json").stat().st_mode
            for path in unfinished.rglob("*.safetensors"):
                path.chmod(mode)  # whoever reads the rest may read the weights, too
            unfinished.replace(folder)
        with atomic_path(folder / "unet" / "diffusion_pytorch_model.safetensors") as temporary:
            tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
            save_file(tensors, temporary, metadata={"format": "pt"})
        concepts.write(folder)  # last: what makes it one of a background


def _pipeline(model: Diffusion) -> Any:
    return StableDiffusionPipeline(
        vae=model.vae,
        text_encoder=model.text_encoder,
        tokenizer=model.tokenizer,
        unet=model.unet,
        scheduler=model.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
