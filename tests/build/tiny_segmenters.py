"""Tiny segmenters of transformers with random weights, built from configurations; every call gives the same ones."""

import torch

from tests.build.tiny_models import clip_tokenizer, seeded, spread


def sam2(side=128):
    """SAM 2 with hardly any channels."""
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2Model,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    width, grid = 32, side // 16
    hiera = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[side, side],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 4, 4, 2],
        window_positional_embedding_background_size=[grid, grid],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=hiera,
        backbone_channel_list=[64, 32, 16, 8],
        backbone_feature_sizes=[[4 * grid] * 2, [2 * grid] * 2, [grid] * 2],
        fpn_hidden_size=width,
    )
    config = Sam2Config(
        vision_config=vision,
        prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=width, image_size=side),
        mask_decoder_config=Sam2MaskDecoderConfig(
            hidden_size=width, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=16
        ),
    )
    with seeded():
        model = spread(Sam2Model(config), 0.1)
    for network in model.mask_decoder.output_hypernetworks_mlps:  # else all masks are full
        torch.nn.init.constant_(network.proj_out.bias, -0.1)
    return model.eval()


def sam3(side=56):
    """SAM 3 with hardly any channels, and its tokenizer."""
    from transformers import (
        CLIPTextConfig,
        Sam3Config,
        Sam3DETRDecoderConfig,
        Sam3DETREncoderConfig,
        Sam3GeometryEncoderConfig,
        Sam3MaskDecoderConfig,
        Sam3Model,
        Sam3VisionConfig,
        Sam3ViTConfig,
    )

    tokenizer = clip_tokenizer()
    width, grid = 32, side // 14
    parts = {"hidden_size": width, "num_attention_heads": 2}
    layers = {**parts, "num_layers": 1, "intermediate_size": 32}
    vit = Sam3ViTConfig(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side,
        window_size=2,
        global_attn_indexes=[1],
        pretrain_image_size=28,
    )
    config = Sam3Config(
        vision_config=Sam3VisionConfig(
            backbone_config=vit,
            fpn_hidden_size=width,
            backbone_feature_sizes=[[4 * grid] * 2, [2 * grid] * 2, [grid] * 2],
        ),
        text_config=CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=32,
            projection_dim=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        ),
        geometry_encoder_config=Sam3GeometryEncoderConfig(**layers),
        detr_encoder_config=Sam3DETREncoderConfig(**layers),
        detr_decoder_config=Sam3DETRDecoderConfig(**layers, num_queries=7),
        mask_decoder_config=Sam3MaskDecoderConfig(**parts),
    )
    with seeded():
        model = spread(Sam3Model(config), 0.15)
    return model.eval(), tokenizer


def _memory(width, side, grid):
    """Settings of what the published weights have for videos."""
    return {
        "prompt_encoder_config": {"hidden_size": width, "image_size": side, "patch_size": side // grid},
        "mask_decoder_config": {
            "hidden_size": width,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
        "image_size": side,
        "memory_attention_hidden_size": width,
        "memory_attention_num_layers": 1,
        "memory_attention_feed_forward_hidden_size": 32,
        "memory_attention_rope_feat_sizes": [grid, grid],
        "memory_encoder_hidden_size": width,
        "memory_encoder_output_channels": 16,
        "mask_downsampler_embed_dim": width,
        "memory_fuser_embed_dim": width,
        "memory_fuser_intermediate_dim": 32,
    }


def sam2_for_videos(image_model):
    """SAM 2 with its part for videos, as it is published, around one for images."""
    from transformers import Sam2VideoConfig, Sam2VideoModel

    vision = image_model.config.vision_config.to_dict()
    with seeded(1):
        model = Sam2VideoModel(Sam2VideoConfig(vision_config=vision, **_memory(32, 128, 8)))
    model.load_state_dict(image_model.state_dict(), strict=False)
    return model


def sam3_for_videos(image_model):
    """SAM 3 with its part for videos, as it is published, around one for images."""
    from transformers import Sam3TrackerVideoConfig, Sam3VideoConfig, Sam3VideoModel

    config = image_model.config
    tracker = Sam3TrackerVideoConfig(vision_config=config.vision_config.to_dict(), **_memory(32, 56, 4))
    with seeded(1):
        model = Sam3VideoModel(Sam3VideoConfig(detector_config=config.to_dict(), tracker_config=tracker.to_dict()))
    model.detector_model.load_state_dict(image_model.state_dict())
    return model
