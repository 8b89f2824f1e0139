"""More detectors with tiny random weights, as in `tiny_models`."""

from tests.build import tiny_models

_MARKS = {"[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}


def real_words():
    """A vocabulary whose marks have their numbers in BERT's, by which GroundingDINO keeps sentences apart."""
    words = [f"[unused{index}]" for index in range(1030)]
    others = [word for word in tiny_models.WORDS if word not in _MARKS]
    words[: len(others)] = others
    for word, index in _MARKS.items():
        words[index] = word
    return words


def grounding(kind="GroundingDino"):
    """Model and tokenizer: that of GroundingDINO, or `MMGroundingDino`."""
    return tiny_models.grounding_dino(kind, real_words())


def owlv2(side=64):
    """Model and tokenizer; its scores spread from 0 to 1."""
    from transformers import Owlv2Config, Owlv2ForObjectDetection

    tokenizer = tiny_models.clip_tokenizer()
    layers = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**layers, "vocab_size": len(tokenizer), "max_position_embeddings": 24}
    config = Owlv2Config(
        text_config={**text, "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id},
        vision_config={**layers, "image_size": side, "patch_size": 16},
        projection_dim=32,
    )
    with tiny_models.seeded():
        return tiny_models.spread(Owlv2ForObjectDetection(config).eval(), 0.15), tokenizer


def florence():
    """Model and processor; most of what it writes are locations."""
    from transformers import (
        BartConfig,
        CLIPImageProcessor,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
        Florence2VisionConfig,
    )

    tokenizer = _spelling_tokenizer()
    count = len(tokenizer)
    vision = Florence2VisionConfig(
        depths=[1, 1, 1, 1],
        embed_dim=[8, 16, 16, 32],
        num_heads=[1, 2, 2, 2],
        num_groups=[1, 2, 2, 2],
        window_size=2,
        projection_dim=32,
    )
    text = BartConfig(
        vocab_size=count,
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=512,
    )
    image = tokenizer.convert_tokens_to_ids("<image>")
    with tiny_models.seeded():
        model = Florence2ForConditionalGeneration(
            Florence2Config(vision_config=vision, text_config=text, image_token_id=image)
        ).eval()
        tiny_models.spread(model, 0.3)
    pixels = CLIPImageProcessor(
        size={"height": 64, "width": 64},
        do_center_crop=False,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
        resample=3,
    )
    pixels.image_seq_length = 5  # one, and one for each 32 x 32 pixels
    return model, Florence2Processor(pixels, tokenizer, post_processor_config={"phrase_grounding": {}})


def _spelling_tokenizer():
    """A tokenizer with BART's marks, which spells words letter by letter, and with Florence-2's locations."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = [chr(code) for code in range(32, 127)]
    vocabulary = {word: index for index, word in enumerate([*marks, *letters])}
    spelling = Tokenizer(models.BPE(vocabulary, []))
    spelling.decoder = decoders.Fuse()
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    more = {"image_token": "<image>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=spelling, extra_special_tokens=more, **names)
    tokenizer.add_special_tokens({"additional_special_tokens": [f"<loc_{index}>" for index in range(1000)]})
    return tokenizer
