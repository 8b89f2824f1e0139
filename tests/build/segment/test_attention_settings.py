import pytest

from fornet_hf.errors import ConfigurationError
from producers.segment.attention_settings import AttentionSettings


def test_the_defaults_are_the_published_values():
    settings = AttentionSettings()
    assert settings.timesteps == tuple(range(1, 782, 20))
    assert settings.prompt.replace("{}", "bird") == "a photo of a bird"
    assert (settings.repeats, settings.layers, settings.side) == (1, (), 512)


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": "a photo"},
        {"steps": 51},
        {"steps": 0},
        {"grid": 0},
        {"repeats": 0},
        {"side": 500},
        {"side": 0},
        {"seed": -1},
    ],
)
def test_other_values_are_refused_before_anything_loads(wrong):
    with pytest.raises(ConfigurationError, match="allowed: "):
        AttentionSettings(**wrong)


def test_a_sentence_of_ones_own_needs_words():
    settings = AttentionSettings(prompt="a photo of a human with arms and legs", tokens=("human", "arms", "legs"))
    assert settings.noted()["tokens"] == "human,arms,legs"
