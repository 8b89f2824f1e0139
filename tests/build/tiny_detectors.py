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
