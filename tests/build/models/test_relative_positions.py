import numpy as np
import pytest
import torch

pytest.importorskip("segment_anything", reason="SAM needs segment-anything", exc_type=ImportError)

import segment_anything
from segment_anything.modeling.image_encoder import Attention

from producers.devices.placement import ON, Placement
from producers.segment import sam
from producers.segment.relative_positions import BiasedAttention, fuse
from tests.build import tiny_models
from tests.build.tiny_models import seeded, spread


@pytest.mark.parametrize("size", [(14, 14), (5, 8)])
def test_the_fused_layer_is_the_packages_own(size):
    with seeded():
        layer = Attention(48, num_heads=3, use_rel_pos=True, input_size=size).eval()
        spread(layer, 0.3)
        values = torch.randn(2, *size, 48)
    with torch.inference_mode():
        expected, found = layer(values), BiasedAttention(layer)(values)
        layer.rel_pos_h.zero_()
        elsewhere = layer(values)
    assert (found - expected).norm() < 1e-5 * expected.norm()
    assert (elsewhere - expected).norm() > 1e-2 * expected.norm()  # positions matter here


def test_embeddings_stay_the_same_and_layers_without_positions_stay():
    model, other = tiny_models.segment_anything(), tiny_models.segment_anything()
    other.image_encoder.blocks[0].attn.use_rel_pos = model.image_encoder.blocks[0].attn.use_rel_pos = False
    fuse(other.image_encoder)
    assert [type(block.attn) for block in other.image_encoder.blocks] == [Attention, BiasedAttention]
    with torch.inference_mode():
        pixels = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(2))
        expected, found = model.image_encoder(pixels), other.image_encoder(pixels)
    assert (found - expected).norm() < 1e-5 * expected.norm()


def test_loaded_weights_are_fused_unless_told_otherwise(tmp_path, monkeypatch):
    made = []

    def make():
        made.append(tiny_models.segment_anything())
        return made[-1]

    monkeypatch.setitem(segment_anything.sam_model_registry, "vit_b", make)
    torch.save(tiny_models.segment_anything().state_dict(), tmp_path / "sam.pth")
    fast = sam.load(Placement(), tmp_path / "sam.pth")
    plain = sam.load(Placement(speedups=ON - {"relative-positions"}), tmp_path / "sam.pth")
    assert [type(model.image_encoder.blocks[0].attn) for model in made] == [BiasedAttention, Attention]
    assert fast.identity == plain.identity
    raster = np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    masks = [one.segment([raster], [[(5, 5, 60, 40)]])[0][0] for one in (fast, plain)]
    assert masks[0].any()
    assert np.count_nonzero(masks[0] & masks[1]) >= 0.999 * np.count_nonzero(masks[0] | masks[1])
