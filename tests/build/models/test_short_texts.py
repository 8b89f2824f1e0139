"""Attention with the text projected against the module in transformers for which it stands."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

pytest.importorskip("transformers", reason="the module that is replaced is transformers'")

from producers.detect.short_texts import ShortTextAttention, project_texts
from tests.build import tiny_detectors

KINDS = ["GroundingDino", "MMGroundingDino"]


def attention(kind, places, tokens, width=512):
    """The module at half the published width, and an image and a text, the ends of which are padding."""
    import transformers
    from transformers.models.grounding_dino import modeling_grounding_dino
    from transformers.models.mm_grounding_dino import modeling_mm_grounding_dino

    home = modeling_grounding_dino if kind == KINDS[0] else modeling_mm_grounding_dino
    config = getattr(transformers, f"{kind}Config")(d_model=64, encoder_ffn_dim=2 * width)
    generator = torch.Generator().manual_seed(2)
    module = getattr(home, f"{kind}BiMultiHeadAttention")(config).eval()
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1
    image, text = (torch.randn(2, count, 64, generator=generator) for count in (places, tokens))
    masks = torch.zeros(2, places, dtype=torch.bool), torch.zeros(2, tokens, dtype=torch.bool)
    masks[0][1, -7:], masks[1][0, -2:] = True, True
    return module, (image, text, *masks)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [True, False])
def test_image_and_text_take_the_same_from_each_other(kind, masked):
    module, given = attention(kind, 50, 9)
    names = ("vision_features", "text_features", "vision_attention_mask", "text_attention_mask")
    given = dict(zip(names, given if masked else (*given[:2], None, None), strict=True))
    with torch.inference_mode():
        (image, _), (text, _) = module(**given)
        (ours, _), (taken, _) = ShortTextAttention(module)(**given)
    torch.testing.assert_close(ours, image, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(taken, text, atol=1e-5, rtol=1e-4)


def test_short_texts_take_fewer_products_and_long_ones_no_more():
    for tokens, share in ((9, 0.1), (200, 1.0)):
        module, given = attention(KINDS[0], 400, tokens)
        counts = []
        for one in (ShortTextAttention(module), module):
            with torch.inference_mode(), FlopCounterMode(display=False) as counter:
                one(*given)
            counts.append(counter.get_total_flops())
        assert counts[0] <= share * counts[1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_such_module_is_exchanged_and_the_network_says_the_same(kind):
    network, tokenizer = tiny_detectors.grounding(kind)
    inputs = {"pixel_values": torch.rand(1, 3, 64, 96), **tokenizer(["a cat."], return_tensors="pt")}
    with torch.inference_mode():
        expected = network(**inputs)
    project_texts(network)
    project_texts(network)
    exchanged = [one for one in network.modules() if isinstance(one, ShortTextAttention)]
    assert len(exchanged) == 1
    assert not isinstance(exchanged[0].original, ShortTextAttention)
    called = []
    exchanged[0].original.register_forward_hook(lambda *_: called.append(1))
    exchanged[0].original.embed_dim = 1000  # 16 there, so that no text would be short enough
    with torch.inference_mode():
        found = network(**inputs)
    assert not called
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.pred_boxes, expected.pred_boxes, atol=1e-4, rtol=1e-4)
