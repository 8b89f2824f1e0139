"""Tiny segmenters of transformers with random weights, built from configurations; every call gives the same ones."""

import torch

from tests.build.tiny_models import seeded, spread


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
