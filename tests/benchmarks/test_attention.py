"""The benchmark's plain side makes the same maps, and its count of operations follows from the layers' shapes."""

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="the networks are those of diffusers")

from benchmarks.attention import scenes  # the first, as it sees to it that torchvision can be imported
from benchmarks.attention_flops import counted
from benchmarks.attention_plain import OneByOne
from producers.devices.placement import Placement
from producers.diffusion.model import load
from producers.segment.attention_maps import Asked, AttentionMaps
from producers.segment.attention_settings import AttentionSettings
from producers.segment.attention_words import phrase
from tests.build import tiny_models


def test_both_sides_make_the_same_maps(tmp_path):
    folder = str(tiny_models.stable_diffusion_folder(tmp_path))
    settings, images, models = (
        AttentionSettings(side=64, steps=2),
        scenes(2),
        [load(Placement(), folder) for _ in "ab"],
    )
    asked = [Asked(index, phrase(models[0].tokenizer, settings.prompt, "bird")) for index in range(2)]
    slow, quick = OneByOne(models[0], settings), AttentionMaps(models[1], settings, 3)
    np.testing.assert_allclose(quick.of(images, asked), slow.of(images, asked), rtol=1e-4, atol=1e-7)


def test_operations_are_counted_as_the_shapes_of_stable_diffusion_say():
    found = counted(steps=2)
    channels = 5 * (64**2 * 320 + 32**2 * 640 + 16**2 * 1280) + 8**2 * 1280
    heads = 8 * (5 * (64**2 + 32**2 + 16**2) + 8**2)
    assert found["recomputed_gflops"] == pytest.approx(2 * 2 * 77 * (channels + heads) / 1e9, abs=0.1)
    assert found["pass_gflops"] == pytest.approx(803, abs=1)
    assert 0 < found["left_out_share"] < 0.05 < found["coarse_left_out_share"] < 0.5
