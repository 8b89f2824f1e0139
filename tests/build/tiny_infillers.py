"""Infillers of diffusers with tiny random weights; every call gives the same weights."""

from pathlib import Path

import torch

from tests.build.tiny_models import clip_tokenizer, seeded, spread, vae_of


def flux_fill():
    """The pipeline of FLUX Fill without text encoders, and a random encoding of a prompt."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxFillPipeline, FluxTransformer2DModel

    from producers.infill.encoded_prompt import EncodedPrompt

    with seeded():
        transformer = FluxTransformer2DModel(
            in_channels=4 * (4 + 4 + 64),  # latents, those of the masked image, and the mask
            out_channels=4 * 4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            guidance_embeds=True,
            axes_dims_rope=(4, 4, 8),
        )
        spread(transformer, 0.2)
        vae = vae_of(scaling_factor=0.3611, shift_factor=0.1159)
        prompt = EncodedPrompt(torch.randn(1, 8, 32), torch.randn(1, 32))
    pipeline = FluxFillPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=vae.eval(),
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=None,
        tokenizer_2=None,
        transformer=transformer.eval(),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, prompt


def flux_folder(folder: Path) -> Path:
    """The whole pipeline, text encoders included, as a repository on the Hub has it."""
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel, T5TokenizerFast

    words = clip_tokenizer()
    clip = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    letters = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((one, -3.0) for one in "abceghinoprstu")]
    t5 = T5Config(vocab_size=len(letters), d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2)
    pipeline, _ = flux_fill()
    with seeded():
        pipeline.register_modules(text_encoder=CLIPTextModel(clip), text_encoder_2=T5EncoderModel(t5))
    pipeline.register_modules(tokenizer=words, tokenizer_2=T5TokenizerFast(vocab=letters))
    pipeline.save_pretrained(folder)
    return folder
