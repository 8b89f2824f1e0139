import contextlib
import hashlib
import os
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("simple_lama_inpainting", reason="LaMa needs simple-lama-inpainting", exc_type=ImportError)

from fornet_hf.errors import IntegrityError, NotFoundError
from producers.devices.placement import ON, Placement
from producers.infill import lama
from producers.registry import Choice, find
from tests.build import tiny_models

SHAPES = [(50, 70), (56, 72), (51, 69), (40, 40)]


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tiny_models.lama_file(tmp_path)
    monkeypatch.setenv("LAMA_MODEL", str(path))
    return path


@pytest.fixture
def parts():
    rng = np.random.default_rng(2)
    rasters = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in SHAPES]
    holes = [np.zeros(shape, bool) for shape in SHAPES]
    for hole in holes:
        hole[10:30, 5:33] = True
    return rasters, holes


def test_pixels_are_those_of_the_packages_own_call(file, parts):
    from simple_lama_inpainting import SimpleLama

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer torch would rather have no TorchScript
        reference = SimpleLama("cpu")
    infiller = lama.load(Placement())
    for raster, hole, filled in zip(*parts, infiller.infill(*parts), strict=True):
        expected = np.asarray(reference(Image.fromarray(raster), Image.fromarray(hole)))[
            : hole.shape[0], : hole.shape[1]
        ]
        assert np.abs(filled[hole].astype(int) - expected[hole]).max() <= 1  # sums in another order


def test_nothing_changes_outside_of_the_hole(file, parts):
    for raster, hole, filled in zip(*parts, lama.load(Placement()).infill(*parts), strict=True):
        assert np.array_equal(filled[~hole], raster[~hole])
        assert (filled[hole] != raster[hole]).any()


def test_a_batch_equals_single_images(file, parts):
    together = lama.load(Placement(), batch_size=4).infill(*parts)
    alone = lama.load(Placement(), batch_size=1).infill(*parts)
    for filled, other in zip(together, alone, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1


def test_only_images_of_equal_padded_size_share_a_batch(file, parts):
    infiller = lama.load(Placement())
    shapes = []

    def recording(images, holes):
        shapes.append(tuple(images.shape))
        return infiller.model(images, holes)

    lama.Lama(model=recording, placement=Placement(), revision="0").infill(*parts)
    assert sorted(shapes) == [(1, 3, 40, 40), (3, 3, 56, 72)]


def test_of_large_images_only_the_surroundings_of_the_hole_are_seen(file):
    rng = np.random.default_rng(3)
    raster = rng.integers(0, 256, (900, 1000, 3), dtype=np.uint8)
    hole = np.zeros((900, 1000), bool)
    hole[880:890, 400:450] = True
    shapes = []

    def grey(images, holes):
        shapes.append(tuple(images.shape))
        return images * 0 + 0.5

    (filled,) = lama.Lama(model=grey, placement=Placement(), revision="0").infill([raster], [hole])
    assert shapes == [(1, 3, 272, 312)]  # 10 x 50, a margin of 128, up to multiples of 8
    assert (filled[hole] == 127).all()
    assert np.array_equal(filled[~hole], raster[~hole])


def test_a_image_without_a_hole_comes_back(file, parts):
    rasters, holes = parts
    (filled,) = lama.load(Placement()).infill(rasters[:1], [np.zeros_like(holes[0])])
    assert np.array_equal(filled, rasters[0])
    assert filled is not rasters[0]


def test_other_weights_than_expected_are_refused(file):
    with pytest.raises(IntegrityError, match=find("infiller", "lama").revision):
        chosen("lama")


def test_missing_weights_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMA_MODEL", str(tmp_path / "nothing.pt"))
    with pytest.raises(NotFoundError, match=r"curl -L -o big-lama\.pt https://"):
        lama.load(Placement())


def test_weights_that_cannot_be_fetched_say_what_to_type(tmp_path, monkeypatch):
    monkeypatch.delenv("LAMA_MODEL", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(lama.package, "LAMA_MODEL_URL", (tmp_path / "nothing.pt").as_uri())
    with pytest.raises(NotFoundError, match="LAMA_MODEL="):
        lama.load(Placement())


def test_a_batch_that_runs_out_of_memory_inside_of_torchscript_is_halved(parts):
    rasters, holes = [[one[:40, :40] for one in some] for some in parts]
    batches = []

    def has_room_for_2(images, holes):
        if len(images) > 2:  # TorchScript raises c10::OutOfMemoryError as this
            raise RuntimeError("The following operation failed in the TorchScript interpreter: CUDA out of memory.")
        batches.append(len(images))
        return images * 0 + 0.5

    filled = lama.Lama(model=has_room_for_2, placement=Placement(), revision="0").infill(rasters, holes)
    assert batches == [2, 2]
    assert all((one[hole] == 127).all() for one, hole in zip(filled, holes, strict=True))


def test_other_errors_of_torchscript_stay_what_they_are(parts):
    def broken(images, holes):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal") as caught:
        lama.Lama(model=broken, placement=Placement(), revision="0").infill(*parts)
    assert caught.type is RuntimeError


def chosen(text):
    return find("infiller", "lama").load(Choice.parse(text))


def md5(path):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_the_file_of_the_choice_goes_before_the_variable(file, tmp_path):
    (tmp_path / "other").mkdir()
    other = tiny_models.lama_file(tmp_path / "other", seed=1)
    assert md5(other) != md5(file)
    assert chosen(f"lama={other}@{md5(other)}").revision == f"md5:{md5(other)}"
    assert chosen(f"lama@{md5(file)}").revision == f"md5:{md5(file)}"
    with pytest.raises(IntegrityError, match="is not the expected model"):
        chosen(f"lama={other}")  # the published one is expected where no MD5 is given


def test_a_choice_does_without_the_variable(file, monkeypatch):
    monkeypatch.delenv("LAMA_MODEL")
    assert chosen(f"lama={file}@{md5(file)}").revision == f"md5:{md5(file)}"
    assert "LAMA_MODEL" not in os.environ


def test_a_missing_file_of_a_choice_is_named(file, tmp_path):
    with pytest.raises(NotFoundError, match=f"no file {tmp_path}/nothing.pt"):
        chosen(f"lama={tmp_path}/nothing.pt")
    assert os.environ["LAMA_MODEL"] == str(file)


@pytest.mark.parametrize("left_out", ["folded", "unfused"])
def test_pixels_are_those_without_a_speed_up(file, parts, left_out):
    fast, plain = (lama.load(Placement(speedups=speedups)).infill(*parts) for speedups in (ON, ON - {left_out}))
    for filled, other in zip(fast, plain, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1


def test_a_network_that_cannot_be_frozen_serves_as_it_is(file, parts, monkeypatch):
    expected = lama.load(Placement(speedups=ON - {"folded"})).infill(*parts)

    def refused(_):
        raise RuntimeError("attributes of this module cannot be made constants")

    monkeypatch.setattr(torch.jit, "freeze", refused)
    for filled, other in zip(lama.load(Placement()).infill(*parts), expected, strict=True):
        assert np.array_equal(filled, other)


def test_a_file_that_is_frozen_already_is_loaded(file, parts):
    expected = lama.load(Placement()).infill(*parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.freeze(torch.jit.load(str(file)).eval()).save(str(file))
    for filled, other in zip(lama.load(Placement()).infill(*parts), expected, strict=True):
        assert np.abs(filled.astype(int) - other).max() <= 1


def test_torchscript_fuses_nothing_inside_of_a_call_only(parts):
    def strategy():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found = torch.jit.set_fusion_strategy([])
            torch.jit.set_fusion_strategy(found)
        return found

    seen = []

    def watching(images, holes):
        seen.append(strategy())
        if len(seen) == 3:
            raise RuntimeError("broken")
        return images

    before = strategy()
    usual = Placement(speedups=ON - {"unfused"})
    for placement in (Placement(), usual, Placement()):
        one = [some[:1] for some in parts]
        with contextlib.suppress(RuntimeError):
            lama.Lama(model=watching, placement=placement, revision="0").infill(*one)
        assert strategy() == before
    assert seen == [[], before, []]


def test_a_bucket_is_what_can_share_a_batch(file, parts):
    infiller = lama.load(Placement())
    assert infiller.bucket(50, 70) == infiller.bucket(56, 72) != infiller.bucket(72, 56)
    assert infiller.bucket(801, 600) == infiller.bucket(400, 900) == ()
