"""The benchmark of the producers runs with networks for tests, in the time that it gets, and counts what it says."""

import json

import numpy as np
import pytest

pytest.importorskip("transformers", reason="the networks are those of transformers")
pytest.importorskip("diffusers", reason="the networks are those of diffusers")
pytest.importorskip("cv2", reason="masks are outlined by it")

import producing
from benchmarks import (  # the first, as they see to it that torchvision can be imported
    segment,
    segment_beside,
    segment_chain,
    segment_counted,
)
from benchmarks.image_sizes import COMMON, draw
from benchmarks.photos import photos
from benchmarks.segment_models import make
from benchmarks.segment_stages import PLAIN, Case, agreement, cases, measured
from fornet_hf.format.encoding import Encoding
from producers.devices.placement import ON, SPEEDUPS, Placement
from producers.devices.seats import Seat
from producers.segment.relative_positions import BiasedAttention
from producers.work.report import Lost
from producers.work.run_folder import CandidateFolder
from tests.one_thread import one_thread

__all__ = ["one_thread"]

pytest.importorskip("segment_anything", reason="SAM is that of its authors")  # they need torchvision
pytest.importorskip("simple_lama_inpainting", reason="LaMa's file is read by it")


def test_sizes_are_drawn_one_by_one_and_many_are_rare():
    sizes = draw(2000)
    assert draw(10) == sizes[:10]
    rare = sum(size not in COMMON for size in sizes) / len(sizes)
    assert 0.35 < rare < 0.5
    assert len(set(sizes)) > 300


def test_chains_and_models_alone_are_measured_and_shown(tmp_path, monkeypatch):
    words = ["--tiny", "--device", "cpu", "--precision", "float32", "--workers", "0", "--infiller", "lama"]
    words += ["--images", "3", "--processes", "1", "--window", "4", "--out", str(tmp_path)]
    monkeypatch.setattr(segment, "cases", lambda name: [Case(name, 1, PLAIN), Case(name, 2)])
    found = segment.measure(segment.parse(words))
    assert not found["left_out"]
    assert not found["failed"]
    (chain,) = found["chains"]
    assert chain["images_an_hour"] > 0
    models = ["grounding-dino", "sam", "lama"]
    assert [one["case"].partition(",")[0] for one in found["alone"]] == [name for name in models for _ in range(2)]
    assert min(one.get("equal_boxes", one.get("least_iou", 1)) for one in found["alone"]) > 0.99
    assert json.loads((tmp_path / "segment.json").read_text())["alone"] == found["alone"]
    page = producing.taking_apart(found)
    assert f"| lama | 1 | {chain['images_an_hour']:,} |" in page
    assert "| sam, batch 1, plain | " in page
    assert "lama, 1 processes" in segment.table(found)


def test_the_eraser_agrees_with_its_plain_way():
    cases_of_it = Case("attentive-eraser", 1, PLAIN), Case("attentive-eraser", 2, ON)
    plain, fast = (measured(one, "cpu", "float32", tiny=True) for one in cases_of_it)
    assert agreement(plain[1], fast[1])["mean_difference"] < 0.01


@pytest.mark.parametrize("fused", [True, False])
def test_the_segmenter_has_the_ways_to_be_faster_that_are_measured(fused):
    speedups = ON if fused else ON - {"relative-positions"}
    model = make("sam", Placement(speedups=speedups), 1, tiny=True)
    encoder = model.network._model.image_encoder
    assert any(isinstance(one, BiasedAttention) for one in encoder.modules()) == fused


def test_cases_for_which_there_is_no_time_are_named():
    budget = segment.Budget(minutes=1)
    assert budget.run("quick", "first", lambda: {"done": True}) == {"done": True}
    budget = segment.Budget(minutes=0.5)
    assert budget.run("slow", "second", lambda: {"done": True}) is None
    assert budget.left_out == ["second"]


def test_a_case_that_fails_is_told_and_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    def measured(chain, place):
        raise MemoryError(f"{chain.processes} are too many")

    monkeypatch.setattr(segment_chain, "measured", measured)
    monkeypatch.setattr(segment, "cases", lambda name: [Case(name, 2)] if name == "lama" else [])
    words = ["--tiny", "--device", "cpu", "--precision", "float32", "--infiller", "lama", "--processes", "3"]
    monkeypatch.setattr("sys.argv", ["segment", *words, "--out", str(tmp_path)])
    assert segment.main() == 1
    found = json.loads((tmp_path / "segment.json").read_text())
    assert found["failed"] == {"all, lama, 3 processes": "MemoryError: 3 are too many"}
    assert [one["case"] for one in found["alone"]] == ["lama, batch 2"]
    assert "3 are too many" in capsys.readouterr().out
    assert "Failed: all, lama, 3 processes (MemoryError: 3 are too many)." in producing.taking_apart(found)


def test_a_process_does_not_wait_for_ever_for_one_that_has_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(segment_chain, "PATIENCE", 0.1)
    monkeypatch.setattr(segment_chain, "segment_shard", lambda task, engine, folder: folder.root.mkdir())
    monkeypatch.setattr(segment_chain.Chain, "backends", lambda self, place: object())
    chain = segment_chain.Chain(segmenter="sam", infiller="lama", processes=2, images=1, window=1, workers=0)
    worker = segment_chain.BenchmarkWorker(
        CandidateFolder(tmp_path),
        0,
        segment_chain._SETTINGS,
        chain=chain,
        place=Placement(),
        warm=None,
        gate=tmp_path,
    )
    with pytest.raises(TimeoutError, match="1 of 2 processes are ready"):
        worker.load("cpu")


def test_a_gpu_whose_drivers_tool_is_missing_is_not_watched(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with segment_chain.watched(Seat("cuda:0")) as samples:
        assert samples == []


def test_every_way_to_be_faster_is_left_out_or_added_in_turn():
    names = [str(case) for name in ("grounding-dino", "sam", "lama", "attentive-eraser") for case in cases(name)]
    assert all(any(f"with {one}" in name or f"without {one}" in name for name in names) for one in SPEEDUPS)
    assert str(Case("sam", 16, ON)) == "sam, batch 16"


def test_answers_are_compared_with_those_of_the_plain_way():
    half, whole = np.array([[True, False]]), np.array([[True, True]])
    assert agreement([[whole]], [[half]]) == {"least_iou": 0.5}
    assert agreement([np.uint8([1, 2])], [np.uint8([1, 4])]) == {"mean_difference": 1.0}
    assert agreement([["a", "b"]], [["b", "c"]]) == {"equal_boxes": 0.5}


def test_batches_are_fuller_across_windows():
    fills = list(segment_counted.fills(3000))
    alone, across = (
        [one for one in fills if one["batches"] == name] for name in ("each window by itself", "across windows")
    )
    for one, other in zip(alone, across, strict=True):
        assert one["detect, of 8"] < other["detect, of 8"] <= 8
        assert one["infill, of 16"] < other["infill, of 16"] <= 16


def test_work_beside_the_networks_gives_what_it_should():
    for case in segment_beside.cases(photos(outlines=True)[:2], Encoding()):
        case.check(case.run())
    with pytest.raises(RuntimeError, match="a patch: a wrong result"):
        case.check([Lost("key", "error", "kind", "detail")])


def test_shared_halves_spare_a_fifth_of_the_erasers_operations():
    with segment_counted.torch.device("meta"), segment_counted.torch.inference_mode():
        plain, shared, *_ = (one["tflop"] for one in segment_counted._eraser())
    assert plain == pytest.approx(395.5, abs=0.5)
    assert 1 - shared / plain == pytest.approx(0.217, abs=0.002)
