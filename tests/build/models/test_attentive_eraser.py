import numpy as np
import pytest
import torch

pytest.importorskip("diffusers", reason="Attentive Eraser needs diffusers")

from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.devices.placement import ON, Placement
from producers.infill.attentive_eraser import AttentiveEraser
from producers.infill.eraser_attention import AttentiveEraserProcessor, EraserState, Tokens, erasing
from producers.infill.eraser_network import EraserNetwork
from producers.infill.eraser_settings import EraserSettings
from tests.build import tiny_models

QUICK = EraserSettings(side=96, steps=3)


@pytest.fixture
def model():
    return tiny_models.sdxl_inpainting()


@pytest.fixture
def images():
    rng = np.random.default_rng(4)
    shapes = [(60, 90), (63, 92), (80, 80)]
    rasters = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]
    holes = [np.zeros(shape, bool) for shape in shapes]
    for index, hole in enumerate(holes):
        hole[10 + index : 40, 20 : 50 + index] = True
    return rasters, holes


def eraser(model, settings=QUICK, **options):
    return AttentiveEraser(*model, Placement(), settings=settings, **options)


def attention(channels=32, heads=4):
    from diffusers.models.attention_processor import Attention

    with tiny_models.seeded():
        return Attention(channels, heads=heads, dim_head=channels // heads).eval()


def naive(attn, hidden, objects, *, suppress):
    """The published formula: two softmaxes over masked similarities, mixed by the object's mask."""
    query, key, value = (
        project(hidden).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        for project in (attn.to_q, attn.to_k, attn.to_v)
    )
    similarity = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    half = len(hidden) // 2
    plain = similarity[:half].softmax(-1) @ value[:half]
    erased, least = similarity[half:], torch.finfo(similarity.dtype).min
    keys = objects[:, None, None, :]
    background = erased.masked_fill(keys, least).softmax(-1) @ value[half:]
    weak = (erased * 0.3).masked_fill(keys, least).softmax(-1) @ value[half:]
    rows = objects[:, None, :, None]
    mixed = torch.where(rows, weak if suppress else background, background)
    return attn.to_out[0](torch.cat([plain, mixed]).transpose(1, 2).flatten(2))


def processor_of(objects, *, suppress=True):
    """That of layers with a token for each pixel of these masks (n x pixels)."""
    tokens = Tokens.of(objects[:, None, None], 1, 0.3)
    return AttentiveEraserProcessor(EraserState({1: tokens if suppress else tokens.unsuppressed()}), 1)


@pytest.fixture
def tokens():
    with tiny_models.seeded(7):
        hidden = torch.randn(4, 24, 32)
    objects = torch.zeros(2, 24, dtype=torch.bool)
    objects[0, 3:9] = objects[1, 10:22] = True
    return hidden, objects


@pytest.mark.parametrize("suppress", [True, False])
def test_the_processor_follows_the_formula(tokens, suppress):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        found = processor_of(objects, suppress=suppress)(attn, hidden)
        expected = naive(attn, hidden, objects, suppress=suppress)
        other = naive(attn, hidden, objects, suppress=not suppress)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    assert (found - other).abs().max() > 1e-3


def test_without_an_object_attention_is_ordinary(tokens):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        found = processor_of(torch.zeros_like(objects))(attn, hidden)
        torch.testing.assert_close(found, attn(hidden), atol=1e-6, rtol=1e-5)


def test_where_all_is_object_no_key_is_taken_away(tokens):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        found = processor_of(torch.ones_like(objects), suppress=False)(attn, hidden)
        torch.testing.assert_close(found, attn(hidden), atol=1e-6, rtol=1e-5)


def test_each_image_has_its_own_mask(tokens):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        both = processor_of(objects)(attn, hidden)
        for index in range(2):
            pair = hidden[[index, index + 2]]
            alone = processor_of(objects[index : index + 1])(attn, pair)
            torch.testing.assert_close(both[[index, index + 2]], alone, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("reduction", "token"), [(16, 12), (32, 3)])
def test_a_token_is_object_if_one_of_its_pixels_is(reduction, token):
    mask = torch.zeros(1, 1, 64, 96)
    mask[0, 0, 33, 1] = 1
    tokens = Tokens.of(mask, reduction, 0.3)
    assert tokens.keep.shape == (1, 1, 1, 64 * 96 // reduction**2)
    assert (~tokens.keep).nonzero().tolist() == [[0, 0, 0, token]]
    assert (tokens.factor != 1).nonzero().tolist() == [[0, 0, token, 0]]


def test_only_self_attention_of_the_upward_half_is_replaced(model):
    unet = model[0].unet
    processors = [AttentiveEraserProcessor(EraserState(), number) for number in range(3)]
    with erasing(unet, processors):
        everything = unet.attn_processors
    for name, one in everything.items():
        kind, number, *_ = name.split(".")
        chosen = kind == "up_blocks" and ".attn1." in name
        assert one is processors[int(number)] if chosen else one not in processors
    assert set(processors[:2]) <= set(everything.values())


def test_processors_are_as_before_after_an_exception(model, images):
    unet = model[0].unet
    before = dict(unet.attn_processors)
    model[0].scheduler.set_timesteps = None  # breaks the call in the middle
    with pytest.raises(TypeError):
        eraser(model).infill(*images)
    assert all(unet.attn_processors[name] is processor for name, processor in before.items())


def test_nothing_changes_outside_of_the_hole(model, images):
    for raster, hole, filled in zip(*images, eraser(model).infill(*images), strict=True):
        assert filled.dtype == np.uint8
        assert np.array_equal(filled[~hole], raster[~hole])
        assert (filled[hole] != raster[hole]).mean() > 0.5


def test_a_batch_equals_single_images_and_runs_are_repeatable(model, images):
    together = eraser(model, batch_size=4).infill(*images)
    alone = eraser(model, batch_size=1).infill(*images)
    again = eraser(model, batch_size=4).infill(*images)
    for filled, other, third in zip(together, alone, again, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1
        assert np.array_equal(filled, third)


def test_the_eraser_differs_from_the_stock_pipeline(model, images, monkeypatch):
    """Else the attention would not be in use at all."""
    erased = eraser(model).infill(*images)
    everything = torch.zeros_like
    monkeypatch.setattr(Tokens, "of", lambda mask, *more, of=Tokens.of: of(everything(mask), *more))
    stock = eraser(model).infill(*images)
    assert any((filled != other).any() for filled, other in zip(erased, stock, strict=True))


def test_ten_steps_are_suppressed_in_every_batch(model, images, monkeypatch):
    seen = []
    plain = EraserNetwork._erased

    def recording(self, tokens, *given):
        seen.append(bool((tokens[16].factor != 1).any()))
        return plain(self, tokens, *given)

    monkeypatch.setattr(EraserNetwork, "_erased", recording)
    eraser(model, EraserSettings(side=32, steps=15), batch_size=1).infill(*images)
    assert seen == ([True] * 10 + [False] * 2) * 3  # of 15 steps, 80 % are run


def test_a_image_without_a_hole_comes_back(model, images):
    rasters, holes = images
    filled = eraser(model).infill(rasters, [holes[0], np.zeros_like(holes[1]), holes[2]])
    assert np.array_equal(filled[1], rasters[1])


@pytest.mark.parametrize(
    ("shape", "working"), [((375, 500), (768, 1024)), ((500, 334), (1024, 672)), ((9, 500), (32, 1024))]
)
def test_working_images_keep_their_shape_in_multiples_of_32(shape, working):
    assert EraserSettings().shape(*shape) == working


def test_the_pipeline_of_a_local_folder_encodes_the_empty_prompt_once(images, tmp_path):
    loaded = AttentiveEraser.load(Placement(), str(tiny_models.sdxl_folder(tmp_path)), settings=QUICK)
    assert loaded.identity.revision.startswith("sha256:")
    assert loaded.bucket(375, 500) == QUICK.shape(375, 500)
    assert loaded._prompt.tokens.shape == (1, 77, 64)
    assert loaded._prompt.tokens.abs().max() > 0  # really encoded, not the zeros of a missing prompt
    assert loaded._pipeline.text_encoder is None
    (filled, *_) = loaded.infill(*images)
    assert (filled != images[0][0]).any()


def test_the_network_is_loaded_in_the_precision_that_was_asked_for(images, tmp_path):
    folder = str(tiny_models.sdxl_folder(tmp_path))
    loaded = AttentiveEraser.load(Placement("cpu", "bfloat16"), folder, settings=QUICK)
    assert loaded._pipeline.unet.dtype == torch.bfloat16
    assert loaded._pipeline.vae.dtype == torch.float32  # lower ones cost quality
    precise = AttentiveEraser.load(Placement(), folder, settings=QUICK)
    for filled, other in zip(loaded.infill(*images), precise.infill(*images), strict=True):
        assert 0 < np.abs(filled.astype(int) - other).mean() < 3


def test_the_network_alone_has_a_lower_precision(images, tmp_path, monkeypatch):
    loaded = AttentiveEraser.load(
        Placement("cpu", "bfloat16"), str(tiny_models.sdxl_folder(tmp_path)), settings=QUICK
    )
    types = set()
    made = loaded._pipeline.prepare_latents

    def recording(*args, **options):
        tensors = made(*args, **options)
        types.update(one.dtype for one in tensors)
        return tensors

    monkeypatch.setattr(loaded._pipeline, "prepare_latents", recording)
    loaded.infill(*images)
    assert types == {torch.float32}  # noised latents, noise, and the image's own


@pytest.mark.parametrize("left_out", ["channels-last", "shared-halves"])
def test_infillings_are_those_without_a_speed_up(images, left_out):
    def infilled(speedups):
        placement = Placement(speedups=speedups)
        return AttentiveEraser(*tiny_models.sdxl_inpainting(), placement, settings=QUICK).infill(*images)

    for fast, plain in zip(infilled(ON), infilled(ON - {left_out}), strict=True):
        assert np.abs(fast.astype(int) - plain).max() <= 1


def test_values_that_overflow_are_refused(model, images):
    torch.nn.init.constant_(model[0].unet.conv_out.bias, torch.inf)
    with pytest.raises(ConfigurationError, match="overflow; found float32"):
        eraser(model).infill(*images)


def test_a_network_made_for_inpainting_is_refused(tmp_path):
    folder = tiny_models.sdxl_folder(tmp_path)
    from diffusers import UNet2DConditionModel

    config = {**UNet2DConditionModel.load_config(folder / "unet"), "in_channels": 9}
    UNet2DConditionModel.from_config(config).save_pretrained(folder / "unet")
    with pytest.raises(ConfigurationError, match="is made for inpainting; found 9 channels"):
        AttentiveEraser.load(Placement(), str(folder))


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFoundError, match="hf download "):
        AttentiveEraser.load(Placement(), str(tmp_path / "nothing"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("speedups", [ON, ON | {"compile"}])
def test_a_gpu_erases_as_the_cpu_does(images, speedups):
    def infilled(placement):
        pipeline, prompt = tiny_models.sdxl_inpainting()
        prompt = type(prompt)(*(one.to(placement.device) for one in prompt))
        return AttentiveEraser(pipeline.to(placement.device), prompt, placement, settings=QUICK).infill(*images)

    for fast, plain in zip(infilled(Placement("cuda", speedups=speedups)), infilled(Placement()), strict=True):
        assert np.abs(fast.astype(int) - plain).mean() < 2
