"""The real model classes with tiny random weights, built from configurations; every call gives the same weights."""

import contextlib
import itertools
from pathlib import Path

import torch

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "an", "type", "of", "tench", "fish", "cat", ",", ".", "?"]


def flat(lists):
    """One list of what is in several."""
    return list(itertools.chain.from_iterable(lists))


@contextlib.contextmanager
def seeded(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def spread(model, std):
    """Weights so large that images matter, which the initial ones are not."""
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=std)
    return model


def grounding_dino(kind="GroundingDino", words=WORDS):
    """Model and tokenizer; about half of its scores are above 0.5."""
    import transformers
    from transformers import BertConfig, BertTokenizer, SwinConfig

    swin = SwinConfig(
        image_size=64,
        patch_size=4,
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[2, 2, 2, 2],
        window_size=4,
        out_features=["stage2", "stage3", "stage4"],
    )
    bert = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    config = getattr(transformers, f"{kind}Config")(
        backbone_config=swin,
        text_config=bert,
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=9,
        max_text_len=32,
    )
    with seeded():
        model = getattr(transformers, f"{kind}ForObjectDetection")(config).eval()
        spread(model, 0.15)
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(words)})
    return model, tokenizer


def segment_anything(side=128):
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    width, patch = 32, 16
    with seeded():
        model = Sam(
            image_encoder=ImageEncoderViT(
                img_size=side,
                patch_size=patch,
                embed_dim=width,
                depth=2,
                num_heads=2,
                out_chans=width,
                use_rel_pos=True,
                window_size=4,
                global_attn_indexes=(1,),
            ),
            prompt_encoder=PromptEncoder(width, (side // patch,) * 2, (side, side), 8),
            mask_decoder=MaskDecoder(
                transformer_dim=width,
                transformer=TwoWayTransformer(depth=2, embedding_dim=width, mlp_dim=32, num_heads=2),
                iou_head_hidden_dim=16,
            ),
        )
        spread(model, 0.15)
    for network in model.mask_decoder.output_hypernetworks_mlps:  # else all masks are full
        network.layers[-1].bias.data -= 0.3
    return model.eval()


def hub_sam(side=128):
    from transformers import SamConfig, SamMaskDecoderConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig

    width, patch = 32, 16
    config = SamConfig(
        vision_config=SamVisionConfig(
            hidden_size=width,
            output_channels=width,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=side,
            patch_size=patch,
            window_size=4,
            global_attn_indexes=[1],
            num_pos_feats=16,
            mlp_dim=32,
        ),
        prompt_encoder_config=SamPromptEncoderConfig(hidden_size=width, image_size=side, patch_size=patch),
        mask_decoder_config=SamMaskDecoderConfig(
            hidden_size=width, mlp_dim=32, num_attention_heads=2, iou_head_hidden_dim=16
        ),
    )
    with seeded():
        return SamModel(config).eval()


class FourierFill(torch.nn.Module):
    """Like LaMa: convolutions, a transform over the whole image, and the answer pasted into the hole."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(4, 8, 3, padding=1)
        self.last = torch.nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hole = mask.to(image.dtype)
        seen = torch.relu(self.first(torch.cat([image * (1 - hole), hole], 1)))
        spectrum = torch.fft.rfftn(seen, dim=[2, 3], norm="ortho")
        wide = torch.fft.irfftn(spectrum * spectrum.abs(), s=seen.shape[2:], dim=[2, 3], norm="ortho")
        filled = torch.sigmoid(self.last(torch.cat([seen, wide], 1)))
        return hole * filled + (1 - hole) * image


def lama_file(folder: Path, seed: int = 0) -> Path:
    """A TorchScript file which stands in for big-lama.pt."""
    path = folder / "lama.pt"
    with seeded(seed):
        network = FourierFill().eval()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(network).save(str(path))
    return path


def vae_of(**options):
    """A tiny autoencoder of Stable Diffusion's shape: 8 pixels of the image to one of its 4 channels of latents."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=8,
        layers_per_block=1,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        **options,
    )


def sdxl_inpainting():
    """The pipeline without text encoders, and random embeddings of the empty prompt."""
    from diffusers import StableDiffusionXLInpaintPipeline, UNet2DConditionModel

    with seeded():
        unet = UNet2DConditionModel(
            sample_size=16,
            in_channels=4,
            out_channels=4,
            block_out_channels=(8, 16, 32),
            norm_num_groups=8,
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 1, 2),
            attention_head_dim=(1, 2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=8 * 6 + 32,
            cross_attention_dim=64,
        )
        vae = vae_of(scaling_factor=0.13025, force_upcast=False)
        tokens, pooled = torch.randn(1, 77, 64), torch.randn(1, 32)
    from producers.infill.attentive_eraser import use_ddim
    from producers.infill.encoded_prompt import EncodedPrompt

    pipeline = StableDiffusionXLInpaintPipeline(
        vae=vae.eval(),
        text_encoder=None,
        text_encoder_2=None,
        tokenizer=None,
        tokenizer_2=None,
        unet=unet.eval(),
        scheduler=None,
        add_watermarker=False,
    )
    use_ddim(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, EncodedPrompt(tokens, pooled)


def sdxl_folder(folder: Path) -> Path:
    """The whole pipeline, text encoders included, as a repository on the Hub has it."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    vocabulary = {"a": 0, "a</w>": 1, "<|startoftext|>": 2, "<|endoftext|>": 3}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
    config = CLIPTextConfig(
        vocab_size=4,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=32,
        bos_token_id=2,
        eos_token_id=3,
    )
    pipeline, _ = sdxl_inpainting()
    with seeded():
        encoders = CLIPTextModel(config), CLIPTextModelWithProjection(config)
    pipeline.register_modules(
        text_encoder=encoders[0], text_encoder_2=encoders[1], tokenizer=tokenizer, tokenizer_2=tokenizer
    )
    pipeline.save_pretrained(folder)
    return folder


def clip_tokenizer():
    """That of Stable Diffusion 1, with words for "a photo of"; it spells all others letter by letter."""
    from transformers import CLIPTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,'-()"
    merges = [("p", "h"), ("ph", "o"), ("pho", "t"), ("phot", "o</w>"), ("o", "f</w>")]
    words = [*letters, *(f"{one}</w>" for one in letters), *map("".join, merges), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=merges, model_max_length=77)


def stable_diffusion(**options):
    """The networks of Stable Diffusion 1, each block with the layers that it has there, but hardly any channels.

    The options are the U-Net's.
    """
    from diffusers import DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = clip_tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    layout = {"sample_size": 64, "attention_head_dim": 8, "cross_attention_dim": 32, "norm_num_groups": 8}
    with seeded():
        unet = UNet2DConditionModel(**{**layout, "block_out_channels": (16, 32, 32, 32), **options})
        vae = vae_of(scaling_factor=0.18215)
        text_encoder = CLIPTextModel(config)
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )
    networks = {"unet": unet.eval(), "vae": vae.eval(), "text_encoder": text_encoder.eval()}
    return {**networks, "tokenizer": tokenizer, "scheduler": scheduler}


def stable_diffusion_folder(folder: Path, **options) -> Path:
    """The same as a repository on the Hub has it."""
    for name, part in stable_diffusion(**options).items():
        part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    return folder


def mean_colour(images):
    """Logits of 1000 classes which depend on nothing but the mean of each colour."""
    means = images.float().mean((2, 3))
    return torch.cat([means * 3, torch.zeros(len(means), 997, device=means.device)], 1)
