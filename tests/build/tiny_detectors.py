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
