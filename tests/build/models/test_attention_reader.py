"""Maps are read out of a U-Net of Stable Diffusion 1's layout, and the network does not notice."""

from collections import Counter

import pytest
import torch

pytest.importorskip("diffusers", reason="the U-Nets are those of diffusers")

from fornet_hf.errors import ConfigurationError
from producers.segment import attention_reader
from producers.segment.attention_reader import AttentionReader, ReadingProcessor, Shown, chosen, layers_of
from tests.build import tiny_models


@pytest.fixture
def unet():
    return tiny_models.stable_diffusion()["unet"]


def shown(count=1, tokens=(2,), sentences=1):
    with tiny_models.seeded(3):
        rows = torch.arange(count) % sentences
        weights = torch.zeros(count, 77)
        weights[:, list(tokens)] = 1
        return Shown(torch.randn(sentences, 77, 32), rows, weights)


def latents(count=1, high=16, wide=16):
    with tiny_models.seeded(4):
        return torch.randn(count, 4, high, wide), torch.arange(1, 1 + count) * 100


def plain(attn, query, key):
    """The maps by diffusers' own code."""
    return attn.get_attention_scores(attn.head_to_batch_dim(query), attn.head_to_batch_dim(key))


def outputs_without_leaving(unet, given, asked):
    """What the network predicts when it is not left behind the last map."""
    for processor in unet.attn_processors.values():
        if isinstance(processor, ReadingProcessor):
            processor._last = False
    (reading,) = {one._reading for one in unet.attn_processors.values() if isinstance(one, ReadingProcessor)}
    reading.begin(asked, given[0].shape[-2:])
    with torch.inference_mode():
        return unet(*given, asked.tokens).sample


def test_there_are_16_layers_in_the_order_in_which_they_run(unet):
    layers = layers_of(unet)
    assert Counter(64 // factor for factor in layers.values()) == {64: 5, 32: 5, 16: 5, 8: 1}
    order = []
    for name in layers:
        unet.get_submodule(name).register_forward_hook(lambda *_, name=name: order.append(name))
    with torch.inference_mode():
        unet(*latents(), torch.zeros(1, 77, 32))
    assert order == list(layers)


def test_16_maps_at_full_size_sum_to_1_over_tokens_and_storing_them_changes_nothing(unet, monkeypatch):
    """At 64 x 64 latents: rows of each head over the 77 tokens, and what the network predicts, to the last bit."""
    given, asked = latents(1, 64, 64), shown()
    found = []

    def recording(query, key):
        result = original(query, key)
        found.append((query.shape[2], (result.sum(-1) - 1).abs().max()))
        return result

    original = attention_reader.probabilities
    monkeypatch.setattr(attention_reader, "probabilities", recording)
    AttentionReader(unet)
    storing = outputs_without_leaving(unet, given, asked)
    assert Counter(places for places, _ in found) == {64**2: 5, 32**2: 5, 16**2: 5, 8**2: 1}
    assert max(error for _, error in found) < 1e-5
    AttentionReader(unet, ["mid_block.attentions.0.transformer_blocks.0.attn2"])
    assert torch.equal(outputs_without_leaving(unet, given, asked), storing)


@pytest.mark.parametrize(
    "layout",
    [{}, {"attention_head_dim": (2, 4, 4, 8), "use_linear_projection": True, "upcast_attention": True}],
    ids=["1", "2"],
)
def test_the_network_predicts_what_it_does_with_the_processors_of_diffusers(layout):
    unet = tiny_models.stable_diffusion(**layout)["unet"]  # as that version lays it out
    given, asked = latents(3), shown(3, sentences=2)
    with torch.inference_mode():
        expected = unet(*given, asked.tokens[asked.rows]).sample
    AttentionReader(unet)
    torch.testing.assert_close(outputs_without_leaving(unet, given, asked), expected, atol=1e-5, rtol=1e-5)


def test_maps_are_the_mean_of_those_that_diffusers_computes_slowly(unet):
    given, asked = latents(2), shown(2, tokens=(2, 5), sentences=2)
    sums = torch.zeros(2, 16, 16)

    class Slow:
        def __call__(self, attn, hidden_states, encoder_hidden_states, **_):
            query, key, value = attn.to_q(hidden_states), attn.to_k(encoder_hidden_states), None
            scores = plain(attn, query, key)
            side = int(hidden_states.shape[1] ** 0.5)
            maps = scores.view(2, attn.heads, side, side, 77).mean(1)
            for row in range(side):
                for column in range(side):
                    size = 16 // side
                    part = maps[:, row, column, [2, 5]].sum(1)
                    sums[:, row * size : (row + 1) * size, column * size : (column + 1) * size] += part[:, None, None]
            value = attn.head_to_batch_dim(attn.to_v(encoder_hidden_states))
            return attn.to_out[0](attn.batch_to_head_dim(scores @ value))

    with torch.inference_mode():
        stock = dict(unet.attn_processors)
        unet.set_attn_processor({**stock, **{name: Slow() for name in stock if ".attn2." in name}})
        unet(*given, asked.tokens)
        found = AttentionReader(unet).read(*given, asked)
    torch.testing.assert_close(found, sums / 16, atol=1e-6, rtol=1e-5)


def test_all_tokens_together_are_1_everywhere(unet):
    with torch.inference_mode():
        found = AttentionReader(unet).read(*latents(2, 8, 24), shown(2, tokens=range(77)))
    torch.testing.assert_close(found, torch.ones(2, 8, 24))


class Planted(torch.nn.Module):
    """Answers a fixed vector at one place, and zeros at all others."""

    def __init__(self, place, channels):
        super().__init__()
        self.place, self.channels = place, channels

    def forward(self, hidden):
        result = hidden.new_zeros(*hidden.shape[:2], self.channels)
        result[:, self.place] = 30.0
        return result


def plant(unet, row, column, wide, token):
    """Let the place at a row and a column of the latents look at one token, in all layers."""
    for name, factor in layers_of(unet).items():
        attn = unet.get_submodule(name)
        attn.to_q = Planted(row // factor * (wide // factor) + column // factor, attn.inner_dim)
        attn.to_k = Planted(token, attn.inner_dim)


@pytest.mark.parametrize("place", [(3, 20), (7, 0), (0, 5)])
def test_the_peak_lies_on_its_pixel_where_latents_are_not_square(unet, place):
    plant(unet, *place, wide=24, token=4)
    with torch.inference_mode():
        found = AttentionReader(unet).read(*latents(1, 8, 24), shown(tokens=(4,)))[0]
    assert found[place] > 0.99
    others = found.clone()
    others[place] = 0
    assert others.max() < 12 / 16  # the five finest layers show no other
    assert (found > 0.02).sum() == 64  # the coarsest shows it as a square of 8 x 8


def test_layers_are_named_by_the_side_of_their_maps_or_by_their_beginnings(unet):
    layers = layers_of(unet)
    assert chosen(layers, (), 64) == list(layers)
    assert [layers[name] for name in chosen(layers, ("8", "16"), 64)] == [4, 4, 8, 4, 4, 4]
    assert len(chosen(layers, ("up_blocks.1", "down_blocks"), 64)) == 9
    assert chosen(layers, ("mid_block.attentions.0.transformer_blocks.0.attn2",), 64) == [
        "mid_block.attentions.0.transformer_blocks.0.attn2"
    ]
    assert chosen(layers, ("2",), 16) == chosen(layers, ("8",), 64)


@pytest.mark.parametrize("word", ["7", "up_block", "attn2", ""])
def test_layers_that_are_not_there_are_refused(unet, word):
    with pytest.raises(ConfigurationError, match="allowed: 64, 32, 16, 8, or the beginning of a name"):
        chosen(layers_of(unet), (word,), 64)


def test_the_network_is_left_behind_the_last_layer_that_counts(unet):
    layers = layers_of(unet)
    ran = []
    for name, module in unet.named_children():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    for name, module in unet.up_blocks.named_children():
        module.register_forward_hook(lambda *_, name=f"up {name}": ran.append(name))
    with torch.inference_mode():
        AttentionReader(unet, chosen(layers, ("4", "2"), 16)).read(*latents(), shown())
        assert "mid_block" in ran
        assert "up 0" in ran
        assert "up 1" not in ran  # left in the middle of it
        ran.clear()
        AttentionReader(unet).read(*latents(), shown())
    assert "up 2" in ran
    assert "up 3" not in ran
    assert "conv_out" not in ran


def test_products_are_computed_for_the_layers_that_count_alone(unet, monkeypatch):
    places = []
    original = attention_reader.probabilities
    monkeypatch.setattr(
        attention_reader, "probabilities", lambda query, key: places.append(query.shape[2]) or original(query, key)
    )
    with torch.inference_mode():
        AttentionReader(unet, chosen(layers_of(unet), ("8",), 16)).read(*latents(), shown())
    assert places == [64] * 5


def test_the_softmax_is_that_of_float32_in_lower_precision_too():
    with tiny_models.seeded():
        query, key = (torch.randn(1, 8, 64, 40, dtype=torch.bfloat16) * 4 for _ in range(2))
    found = attention_reader.probabilities(query, key)
    exact = (query.double() @ key.double().transpose(-1, -2) / 40**0.5).softmax(-1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), exact, atol=1e-6, rtol=1e-4)


def test_a_network_without_layers_to_read_is_refused():
    class Other:
        attn_processors = ("mid_block.attentions.0.processor",)

    with pytest.raises(ConfigurationError, match="no layers of cross-attention"):
        layers_of(Other())
