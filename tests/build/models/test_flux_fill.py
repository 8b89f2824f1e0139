from functools import partial

import numpy as np
import pytest
import torch

pytest.importorskip("diffusers", reason="FLUX Fill needs diffusers")

import segment
from fornet_hf.errors import ConfigurationError, NotFoundError
from producers.devices.placement import ON, Placement
from producers.devices.seats import Seat
from producers.infill.flux_fill import FluxFill
from producers.infill.flux_settings import FluxSettings
from producers.registry import find
from producers.tasks.candidate_shards import CandidateShard
from producers.tasks.gpu_worker import read_models
from producers.work import command
from producers.work.plan import plan
from producers.work.run_folder import CandidateFolder
from tests.build import tiny_infillers
from tests.build.models.test_attentive_eraser import images

__all__ = ["images"]

QUICK = FluxSettings(side=96, steps=3)


def filler(settings=QUICK, placement=None, **options):
    return FluxFill(*tiny_infillers.flux_fill(), placement or Placement(), settings=settings, **options)


def test_nothing_changes_outside_of_the_hole(images):
    for raster, hole, filled in zip(*images, filler().infill(*images), strict=True):
        assert filled.dtype == np.uint8
        assert np.array_equal(filled[~hole], raster[~hole])
        assert (filled[hole] != raster[hole]).mean() > 0.5


def test_a_batch_equals_single_images_and_runs_are_repeatable(images):
    together, alone, again = (filler(batch_size=size).infill(*images) for size in (4, 1, 4))
    for filled, other, third in zip(together, alone, again, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1
        assert np.array_equal(filled, third)


@pytest.mark.parametrize("change", [{"seed": 1}, {"guidance": 2.0}, {"steps": 4}, {"side": 64}])
def test_settings_count(images, change):
    one = [part[:1] for part in images]
    (filled,), (other,) = (
        filler().infill(*one),
        filler(FluxSettings(**{"side": 96, "steps": 3, **change})).infill(*one),
    )
    assert np.abs(filled.astype(int) - other).max() > 2


def test_only_the_surroundings_are_seen(images):
    """The noise is that of the image, object and all; so it is held still."""
    rasters, holes = [part[:1] for part in images]
    wide = np.zeros_like(holes[0])
    wide[:-8, 8:-8] = True  # of which no pixel reaches into a cell outside
    other = rasters[0].copy()
    other[30:40, 40:60] = 255

    def still(*_):
        return torch.Generator().manual_seed(5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("producers.infill.flux_fill.generator_of", still)
        (seen,), (unseen,) = filler().infill(rasters, [wide]), filler().infill([other], [wide])
    deep = np.zeros_like(wide)
    deep[10:40, 25:65] = True  # where nothing of the image is left
    assert np.array_equal(seen[deep], unseen[deep])


def test_an_image_without_a_hole_comes_back(images):
    rasters, holes = images
    filled = filler().infill(rasters, [holes[0], np.zeros_like(holes[1]), holes[2]])
    assert np.array_equal(filled[1], rasters[1])


@pytest.fixture
def folder(tmp_path):
    return str(tiny_infillers.flux_folder(tmp_path / "flux"))


def test_a_local_folder_is_loaded_and_its_prompt_encoded_once(images, folder):
    loaded = FluxFill.load(Placement(), folder, settings=QUICK)
    assert loaded.identity.revision.startswith("sha256:")
    assert loaded._prompt.tokens.shape == (1, 512, 32)
    assert loaded._pipeline.text_encoder_2 is None
    assert loaded.bucket(375, 500) == QUICK.shape(375, 500) == (64, 96)
    empty = FluxFill.load(Placement(), folder, settings=FluxSettings(side=96, steps=3, prompt=""))
    for filled, other in zip(loaded.infill(*images), empty.infill(*images), strict=True):
        assert (filled != other).any()  # the prompt counts


def test_the_network_alone_is_in_the_precision_that_was_asked_for(images, folder):
    lower = FluxFill.load(Placement("cpu", "bfloat16"), folder, settings=QUICK)
    assert lower._pipeline.transformer.dtype == torch.bfloat16
    assert lower._pipeline.vae.dtype == torch.float32
    precise = FluxFill.load(Placement(), folder, settings=QUICK)
    for filled, other in zip(lower.infill(*images), precise.infill(*images), strict=True):
        assert 0 < np.abs(filled.astype(int) - other).mean() < 5


def test_infillings_are_those_without_channels_last(images):
    plain = filler(placement=Placement(speedups=ON - {"channels-last"})).infill(*images)
    for filled, other in zip(filler().infill(*images), plain, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1


def test_values_that_overflow_are_refused(images):
    pipeline, prompt = tiny_infillers.flux_fill()
    torch.nn.init.constant_(pipeline.transformer.proj_out.bias, torch.nan)
    with pytest.raises(ConfigurationError, match="overflow; found float32"):
        FluxFill(pipeline, prompt, Placement(), settings=QUICK).infill(*images)


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotFoundError, match=r"hf download .*log in"):
        FluxFill.load(Placement(), str(tmp_path / "nothing"))


def test_its_licence_is_known():
    assert "Non-Commercial" in find("infiller", "flux-fill").licence


def test_it_goes_the_whole_way(image_folder, folder, tmp_path, monkeypatch):
    # In this process, where torchvision is made to fit torch.
    monkeypatch.setattr(
        command, "run_on_slots", lambda work, tasks, *_, **__: ((t, work(t, Seat("cpu"))) for t in tasks)
    )
    images, _ = image_folder
    models = ["--detector", "centred", "--segmenter", "grabcut", "--infiller", f"flux-fill={folder}"]
    quick = ["--set", "infiller.side=64", "--set", "infiller.steps=2"]
    common = ["--precision", "float32", "--gpus", "0", "--workers", "1", "--shards", "1"]
    assert segment.main([str(images), str(tmp_path / "run"), *models, *quick, *common]) == 0
    noted = read_models(tmp_path / "run")["infiller"]
    assert (noted["name"], noted["settings"]["side"]) == ("flux-fill", 64)
    (task,) = plan(images, ["train"], 1)
    assert len(list(CandidateShard(CandidateFolder(tmp_path / "run").shard(task)).by_image())) == 4


@pytest.mark.slow
def test_compiled_blocks_serve_all_sizes(images, monkeypatch):
    graphs = []

    def compiler(graph, _):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=compiler))
    torch._dynamo.reset()
    compiled = filler(placement=Placement(speedups=ON | {"compile"})).infill(*images)
    torch._dynamo.reset()
    assert 2 <= len(graphs) <= 4  # two kinds of blocks; a batch of one is another case
    for filled, other in zip(compiled, filler().infill(*images), strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1
