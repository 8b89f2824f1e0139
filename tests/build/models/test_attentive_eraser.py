import numpy as np
import pytest
import torch

pytest.importorskip("diffusers", reason="Attentive Eraser needs diffusers")

from fornet_hf.errors import NotFoundError
from producers.devices.placement import Placement
from producers.infill.attentive_eraser import AttentiveEraser, EraserSettings
from producers.infill.eraser_attention import AttentiveEraserProcessor, EraserState, erasing
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


def state_of(objects, step=0):
    return EraserState(step=step, masks={objects.shape[1]: objects})


@pytest.fixture
def tokens():
    with tiny_models.seeded(7):
        hidden = torch.randn(4, 24, 32)
    objects = torch.zeros(2, 24, dtype=torch.bool)
    objects[0, 3:9] = objects[1, 10:22] = True
    return hidden, objects


@pytest.mark.parametrize(("step", "suppress"), [(0, True), (9, True), (10, False), (39, False)])
def test_the_processor_follows_the_formula_and_suppresses_in_ten_steps(tokens, step, suppress):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        found = AttentiveEraserProcessor(state_of(objects, step))(attn, hidden)
        expected = naive(attn, hidden, objects, suppress=suppress)
        other = naive(attn, hidden, objects, suppress=not suppress)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    assert (found - other).abs().max() > 1e-3


def test_without_an_object_attention_is_ordinary(tokens):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        found = AttentiveEraserProcessor(state_of(torch.zeros_like(objects)))(attn, hidden)
        torch.testing.assert_close(found, attn(hidden), atol=1e-6, rtol=1e-5)


def test_where_all_is_object_no_key_is_taken_away(tokens):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        found = AttentiveEraserProcessor(state_of(torch.ones_like(objects), step=20))(attn, hidden)
        torch.testing.assert_close(found, attn(hidden), atol=1e-6, rtol=1e-5)


def test_each_image_has_its_own_mask(tokens):
    hidden, objects = tokens
    attn = attention()
    with torch.inference_mode():
        both = AttentiveEraserProcessor(state_of(objects))(attn, hidden)
        for index in range(2):
            pair = hidden[[index, index + 2]]
            alone = AttentiveEraserProcessor(state_of(objects[index : index + 1]))(attn, pair)
            torch.testing.assert_close(both[[index, index + 2]], alone, atol=1e-6, rtol=1e-5)


def test_a_token_is_object_if_one_of_its_pixels_is():
    mask = torch.zeros(1, 1, 64, 96)
    mask[0, 0, 33, 1] = 1
    state = EraserState(step=3)
    state.begin(mask, (16, 32))
    assert state.step == 0
    assert {tokens: level.nonzero().tolist() for tokens, level in state.masks.items()} == {24: [[0, 12]], 6: [[0, 3]]}


def test_only_self_attention_of_the_upward_half_is_replaced(model):
    unet = model[0].unet
    processor = AttentiveEraserProcessor(EraserState())
    with erasing(unet, processor):
        chosen = {name for name, one in unet.attn_processors.items() if one is processor}
        everything = set(unet.attn_processors)
    assert chosen == {name for name in everything if name.startswith("up_blocks") and ".attn1." in name}
    assert chosen


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
    monkeypatch.setattr(AttentiveEraserProcessor, "_suppressed", lambda self, query: (query, None))
    stock = eraser(model).infill(*images)
    assert any((filled != other).any() for filled, other in zip(erased, stock, strict=True))


def test_layers_know_the_step_which_starts_anew_for_every_batch(model, images, monkeypatch):
    steps = []
    original = AttentiveEraserProcessor._suppressed

    def recording(self, query):
        steps.append(self.state.step)
        return original(self, query)

    monkeypatch.setattr(AttentiveEraserProcessor, "_suppressed", recording)
    eraser(model, EraserSettings(side=96, steps=5), batch_size=2).infill(*images)
    runs = len({EraserSettings(side=96).shape(*hole.shape) for hole in images[1]})
    layers = len(steps) // (4 * runs)  # of 5 steps, 80 % are run
    assert steps == [step for _ in range(runs) for step in range(4) for _ in range(layers)]


def test_a_thin_hole_does_not_vanish(model, images):
    _, holes = images
    thin = np.zeros_like(holes[0])
    thin[20, 10:40] = True
    masks = eraser(model)._hole(thin, (64, 96))
    assert masks.sum() > 0


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
    assert loaded._prompt.tokens.shape == (1, 77, 64)
    assert loaded._prompt.tokens.abs().max() > 0  # really encoded, not the zeros of a missing prompt
    assert loaded._pipeline.text_encoder is None
    (filled, *_) = loaded.infill(*images)
    assert (filled != images[0][0]).any()


def test_weights_are_loaded_in_the_precision_that_was_asked_for(tmp_path):
    loaded = AttentiveEraser.load(Placement("cpu", "bfloat16"), str(tiny_models.sdxl_folder(tmp_path)))
    assert next(loaded._pipeline.unet.parameters()).dtype == loaded._prompt.tokens.dtype == torch.bfloat16


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFoundError, match="hf download "):
        AttentiveEraser.load(Placement(), str(tmp_path / "nothing"))
