import pytest
import torch

pytest.importorskip("diffusers", reason="Attentive Eraser needs diffusers")

from fornet_hf.errors import ConfigurationError
from producers.devices.placement import ON, Placement
from producers.infill.attentive_eraser import AttentiveEraser
from producers.infill.eraser_network import EraserNetwork
from producers.infill.eraser_settings import EraserSettings
from producers.infill.shared_halves import shared_halves
from tests.build import tiny_models
from tests.build.models.test_attentive_eraser import QUICK, images

__all__ = ["images"]


@pytest.fixture
def unet():
    return tiny_models.sdxl_inpainting()[0].unet


@pytest.fixture
def step(unet):
    """One step of two images, as the pipeline calls the network."""
    with tiny_models.seeded(3):
        half = torch.randn(2, 4, 12, 8), torch.randn(2, 77, 64), torch.randn(2, 32)
    sample, tokens, pooled = (torch.cat([one, one]) for one in half)
    times = torch.tensor([[96.0, 64, 0, 0, 96, 64]]).repeat(4, 1)
    mask = torch.zeros(2, 1, 96, 64)
    mask[0, :, 20:50, 8:40] = mask[1, :, 60:90, 30:60] = 1
    network = EraserNetwork(unet, EraserSettings(), Placement(speedups=frozenset()))

    def run():
        with torch.inference_mode(), network.running(mask):
            return unet(
                sample,
                torch.tensor(500),
                encoder_hidden_states=tokens,
                added_cond_kwargs={"text_embeds": pooled, "time_ids": times},
                return_dict=False,
            )[0]

    return run


def batches(unet, run):
    """The answer of a step, and the sizes of the batches which the blocks get."""
    sizes = []
    blocks = [unet.conv_in, *unet.down_blocks, unet.mid_block, *unet.up_blocks]
    hooks = [
        block.register_forward_hook(lambda _, __, out: sizes.append(len(out))) for block in (blocks[0], *blocks[4:])
    ]
    answer = run()
    for hook in hooks:
        hook.remove()
    return answer, sizes


def test_a_step_is_the_same_with_down_and_middle_blocks_done_once(unet, step):
    expected, sizes = batches(unet, step)
    assert sizes == [4] * 5
    with shared_halves(unet):
        found, fewer = batches(unet, step)
    assert fewer == [2, 2, 4, 4, 4]
    assert (expected[:2] - expected[2:]).abs().max() > 1e-3  # the halves differ in the end
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_all_is_as_before_also_after_an_exception(unet, step):
    modules = [unet, *unet.up_blocks]
    unet.up_blocks[0].resnets[0].forward = None  # breaks the call in the middle
    with pytest.raises(TypeError), shared_halves(unet):
        step()
    del unet.up_blocks[0].resnets[0].forward
    assert not any(module._forward_pre_hooks for module in modules)
    assert batches(unet, step)[1] == [4] * 5


def test_the_eraser_uses_it_unless_it_is_left_out(images, monkeypatch):
    used = []
    monkeypatch.setattr(
        "producers.infill.eraser_network.shared_halves", lambda unet: used.append(unet) or shared_halves(unet)
    )
    for speedups in (ON, ON - {"shared-halves"}):
        placement = Placement(speedups=speedups)
        one = [part[:1] for part in images]
        AttentiveEraser(*tiny_models.sdxl_inpainting(), placement, settings=QUICK).infill(*one)
    assert len(used) == 1


def test_guidance_that_leaves_out_the_second_half_is_refused():
    with pytest.raises(ConfigurationError, match="guidance"):
        EraserSettings(guidance=1.0)
