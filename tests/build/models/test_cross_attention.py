"""From scenes to masks by the attention of a tiny Stable Diffusion."""

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers", reason="the U-Nets are those of diffusers")

import segment
from fornet_hf.errors import ConfigurationError
from producers.devices.placement import Placement
from producers.devices.seats import Seat
from producers.diffusion.canvas import Canvas
from producers.diffusion.model import load
from producers.scene import Scene
from producers.segment.attention_maps import Asked, AttentionMaps
from producers.segment.attention_settings import AttentionSettings
from producers.segment.attention_words import Phrase
from producers.segment.cross_attention import CrossAttention, cut
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.gpu_worker import read_models
from producers.work import command
from tests.build import tiny_models
from tests.build.models.test_attention_reader import plant

QUICK = AttentionSettings(side=128, steps=3, grid=5)
"""The image has 16 x 16 latent values."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tiny_models.stable_diffusion_folder(tmp_path_factory.mktemp("weights") / "tiny"))


@pytest.fixture
def model(folder):
    return load(Placement(), folder)


def scene(key, shape=(70, 128), prompts=("a tench, a type of fish.", "a fish.")):
    raster = np.random.default_rng(len(key) + sum(shape)).integers(0, 256, (*shape, 3), np.uint8)
    return Scene(key=key, raster=raster, prompts=prompts)


@pytest.fixture
def scenes():
    return [scene("first"), scene("second", (150, 90)), scene("third", (64, 64), ("a cat.", "a dog."))]


ASKED = [
    Asked(0, Phrase("a photo of a tench", (5, 6, 7, 8, 9))),
    Asked(1, Phrase("a photo of a tench", (5, 6, 7, 8, 9))),
    Asked(2, Phrase("a photo of a cat", (5, 6, 7))),
    Asked(2, Phrase("a photo of a dog", (5,))),
]


def maps_one_by_one(model, settings, scenes, asked):
    """As the publication does it: image by image, step by step, all layers kept at full size until the end."""
    from producers.diffusion.noise import normal
    from producers.segment.attention_reader import layers_of

    results = []
    for one in asked:
        image, stack = scenes[one.scene], []
        canvas = Canvas.of(*image.raster.shape[:2], settings.side)
        draws = normal((4, 16, 16), "vae", settings.seed, image.key)[None]
        clean = model.latents(canvas.pixels(image.raster)[None], draws)
        tokens = model.encoded([one.phrase.text])
        for step in settings.timesteps:
            for draw in range(settings.repeats):
                noise = normal((4, 16, 16), "noise", settings.seed, image.key, step, draw)[None]
                noised = model.noised(clean, noise, torch.tensor([step]))
                seen = {}

                def keep(attn, args, kwargs, seen=seen):
                    query, key = attn.to_q(args[0]), attn.to_k(kwargs["encoder_hidden_states"])
                    scores = attn.get_attention_scores(*map(attn.head_to_batch_dim, (query, key)))
                    seen[attn] = scores.mean(0).T.unflatten(1, [int(query.shape[1] ** 0.5)] * 2)

                layers = [model.unet.get_submodule(name) for name in layers_of(model.unet)]
                hooks = [layer.register_forward_pre_hook(keep, with_kwargs=True) for layer in layers]
                with torch.inference_mode():
                    model.predicted(noised, torch.tensor([step]), tokens)
                for hook in hooks:
                    hook.remove()
                stack.append(
                    torch.stack([torch.nn.functional.interpolate(seen[layer][None], (16, 16))[0] for layer in layers])
                )
        whole = torch.stack(stack)  # steps x layers x 77 x 16 x 16
        results.append(whole.mean((0, 1))[list(one.phrase.tokens)].sum(0))
    return torch.stack(results).numpy()


@pytest.mark.parametrize("repeats", [1, 2])
def test_batches_across_steps_and_images_equal_one_by_one(model, folder, scenes, repeats):
    settings = AttentionSettings(side=128, steps=3, grid=5, repeats=repeats)
    expected = maps_one_by_one(model, settings, scenes, ASKED)
    found = AttentionMaps(load(Placement(), folder), settings, 5).of(scenes, ASKED)
    assert found.shape == (4, 16, 16)
    np.testing.assert_allclose(found, expected, atol=1e-7, rtol=1e-5)


def test_a_map_depends_on_nothing_but_image_key_and_seed(model, scenes):
    maps = AttentionMaps(model, QUICK, 8)
    together = maps.of(scenes, ASKED)
    alone = maps.of(scenes[1:2], [ASKED[1]._replace(scene=0)])
    np.testing.assert_allclose(alone[0], together[1], atol=1e-7, rtol=1e-5)
    renamed = [scene("other"), *scenes[1:]]
    assert np.abs(maps.of(renamed, ASKED[:1])[0] - together[0]).max() > 1e-5
    maps.settings = AttentionSettings(side=128, steps=3, grid=5, seed=1)
    assert np.abs(maps.of(scenes, ASKED[:1])[0] - together[0]).max() > 1e-5


def test_a_batch_that_runs_out_of_memory_is_halved_and_no_pass_counts_twice(model, scenes, monkeypatch):
    maps = AttentionMaps(model, QUICK, 8)
    expected = maps.of(scenes, ASKED)
    read, sizes = maps._reader.read, []

    def short_of_memory(latents, timesteps, shown):
        found = read(latents, timesteps, shown)
        if len(latents) > 3:
            raise torch.OutOfMemoryError("no more")
        sizes.append(len(latents))
        return found

    monkeypatch.setattr(maps._reader, "read", short_of_memory)
    np.testing.assert_allclose(maps.of(scenes, ASKED), expected, atol=1e-7, rtol=1e-5)
    assert max(sizes) == 2
    assert sum(sizes) == len(ASKED) * 3


def test_values_that_overflow_are_told_with_the_precision_to_take(model, scenes):
    model.unet.conv_in.weight.data *= float("inf")
    with pytest.raises(ConfigurationError, match=r"overflow; found float32\. Give --precision bfloat16"):
        AttentionMaps(model, QUICK, 8).of(scenes, ASKED)


def test_the_text_is_encoded_once_for_each_sentence(model, scenes, monkeypatch):
    asked = []
    original = type(model).encoded
    monkeypatch.setattr(
        type(model), "encoded", lambda self, texts: asked.append(list(texts)) or original(self, texts)
    )
    AttentionMaps(model, QUICK, 8).of(scenes, ASKED)
    assert asked == [["a photo of a tench", "a photo of a cat", "a photo of a dog"]]


@pytest.mark.parametrize(("layers", "peak"), [((), (5, 13)), (("4",), None)])
def test_the_mask_lies_where_the_network_looks_on_an_image_that_is_not_square(model, layers, peak):
    """The pixel at row 45 and column 110 is in the latent value at 5, 13; in the map of 4 x 4, at 1, 3."""
    plant(model.unet, 5, 13, wide=16, token=5)
    settings = AttentionSettings(side=128, steps=2, grid=5, layers=layers)
    (found,) = CrossAttention(model, settings)([scene("planted", prompts=("an x.",))])
    (one,) = found.masks
    assert one.mask.shape == (70, 128)
    if peak:
        assert np.unravel_index(one.soft.argmax(), one.soft.shape) == peak
    else:
        assert one.mask[45, 110]
        assert one.mask[32:64, 96:].mean() > 0.8
        assert not one.mask[:32].any()
        assert not one.mask[64:].any()
        assert not one.mask[:, :96].any()


def test_scenes_get_a_mask_for_each_object_and_keep_the_rest(model, scenes):
    found = CrossAttention(model, QUICK)(scenes)
    assert [[one.prompt for one in each.masks] for each in found] == [
        ["a tench, a type of fish."],
        ["a tench, a type of fish."],
        ["a cat.", "a dog."],
    ]
    for before, after in zip(scenes, found, strict=True):
        assert (after.key, after.prompts) == (before.key, before.prompts)
        for one in after.masks:
            assert one.mask.shape == before.raster.shape[:2]
            assert 0 < one.mask.mean() < 1
            assert (one.soft.min(), one.soft.max()) == (0, 255)
            assert 0 < one.score < 1


def test_parents_are_objects_too_if_asked_for(model):
    settings = AttentionSettings(side=128, steps=1, grid=5, parents=True)
    (found,) = CrossAttention(model, settings)([scene("first")])
    assert len(found.masks) == 2


def test_no_scenes_are_no_work(model):
    assert CrossAttention(model, QUICK)([]) == []


def test_a_name_that_is_cut_off_is_refused(model):
    with pytest.raises(ConfigurationError, match="77 tokens"):
        CrossAttention(model, QUICK)([scene("first", prompts=(f"a {'x' * 80}.",))])


def test_layers_that_are_not_there_are_refused_before_any_image(model):
    with pytest.raises(ConfigurationError, match="allowed: 16, 8, 4, 2"):
        CrossAttention(model, AttentionSettings(side=128, layers=("64",)))


def test_the_identity_names_weights_and_settings(folder):
    loaded = CrossAttention.load(Placement("cpu", "bfloat16"), folder, settings=QUICK)
    value = loaded.identity.to_json()
    assert value["name"] == "cross-attention"
    assert value["revision"].startswith("sha256:")
    assert value["settings"]["steps"] == 3
    assert value["settings"]["precision"] == "bfloat16"


def test_lower_precision_gives_nearly_the_same_map(model, folder, scenes):
    exact = AttentionMaps(model, QUICK, 8).of(scenes, ASKED)
    rough = AttentionMaps(load(Placement("cpu", "bfloat16"), folder), QUICK, 8).of(scenes, ASKED)
    assert rough.dtype == np.float32
    assert np.abs(rough - exact).max() < 0.05 * exact.max()


def blob(inside=0.9, outside=0.1):
    values = np.full((16, 16), outside, np.float32)
    values[2:6, 4:12] = inside
    values[9:] = 7  # padding, of an image of 70 x 128
    return values


def test_only_the_image_s_part_of_a_map_decides():
    canvas = Canvas.of(70, 128, 128)
    found = cut(canvas, blob(), "a cat.")
    y, x = np.nonzero(found.mask)
    assert (y.min(), y.max() + 1, x.min(), x.max() + 1) == (16, 48, 32, 96)
    assert found.soft.shape == (9, 16)
    assert found.score == pytest.approx(1, abs=1e-5)


def test_a_map_that_is_nearly_constant_gives_one_without_a_warning():
    found = cut(Canvas.of(70, 128, 128), blob(np.nextafter(np.float32(1e-8), 1), 1e-8), "a cat.")
    assert found.mask[16:48, 32:96].mean() == 28 / 32  # without the corners, which are orphans
    assert found.score == pytest.approx(1, abs=1e-5)
    assert (found.soft.min(), found.soft.max()) == (0, 255)


def test_a_constant_map_gives_no_mask():
    assert cut(Canvas.of(70, 128, 128), blob(0.1, 0.1), "a cat.") is None


def test_the_command_segments_by_class_names_without_a_detector(image_folder, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "run_on_slots", lambda work, tasks, *_, **__: ((t, work(t, Seat())) for t in tasks))
    words = ["--segmenter", f"cross-attention={folder}", "--infiller", "opencv", "--gpus", "0", "--workers", "0"]
    given = ("side=64", "steps=2", "layers=8,4", "repeats=2")
    sets = [word for one in given for word in ("--set", f"segmenter.{one}")]
    assert segment.main([str(image_folder[0]), str(tmp_path / "run"), "--precision", "float32", *words, *sets]) == 0
    models = read_models(tmp_path / "run")
    assert "detector" not in models
    assert models["segmenter"]["settings"]["layers"] == "8,4"
    (shard,) = (tmp_path / "run" / "candidates").glob("train*.parquet")
    found = list(CandidateShard(shard).by_image())
    assert len(found) >= 3
    for first, *_ in found:
        assert first.prompt.startswith(("a ", "an "))
        assert 0 < first.score < 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("segmenter.step=2", "unknown setting of the segmenter cross-attention; found 'step'; allowed: prompt"),
        ("segmenter.side=500", "side is not allowed; found 500; allowed: a multiple of 64"),
        ("segmenter.steps=60", "allowed: 1 to 50"),
    ],
)
def test_wrong_settings_are_refused_before_anything_loads(image_folder, tmp_path, capsys, given, message):
    words = ["--segmenter", "cross-attention=nobody/nothing", "--infiller", "opencv", "--set", given]
    assert segment.main([str(image_folder[0]), str(tmp_path / "run"), *words]) == 1
    assert message in capsys.readouterr().err
