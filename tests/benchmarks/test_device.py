"""The benchmark of composing on the device runs on CPU tensors, and what it writes is what the page shows."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import on_device
from benchmarks import harness

torch = pytest.importorskip("torch")

from benchmarks import device, device_sides, device_training  # noqa: E402


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    before = sorted(harness.RESULTS.iterdir())
    threads = torch.get_num_threads()
    found = device.main(["--quick", "--device", "cpu"])
    torch.set_num_threads(threads)
    assert sorted(harness.RESULTS.iterdir()) == before  # quick writes nothing
    return found


def test_all_sides_run_and_their_images_agree(found) -> None:
    assert [row["side"] for row in found["end_to_end"]] == list(device_sides.SIDES)
    assert [row["side"] for row in found["training"]] == list(device_sides.SIDES)
    assert all(0 < row["cpu_ms_an_image_in_main"] < row["cpu_ms_an_image"] for row in found["end_to_end"])
    assert all(0 < row["waited"] < 1 for row in found["training"])
    assert found["agreement"]["pixels, products"]["max"] <= 2
    assert not {"left_out", "failed"} & set(found)


def test_what_fails_is_told_and_does_not_stop_the_rest() -> None:
    report = device.Report(None, seconds=100)
    with report.attempt("ViT-S/16"):
        raise ImportError("no timm")
    assert report.results["failed"] == {"ViT-S/16": "ImportError: no timm"}


def test_a_loader_that_fails_leaves_the_others_of_its_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def behind(_step: object, _place: object, side: str, *_: object) -> dict[str, float]:
        if side == "jpeg":
            raise RuntimeError("no decoder")
        return {"waited": 0.5}

    monkeypatch.setattr(device_training, "behind", behind)
    sides = SimpleNamespace(place=device_sides.Place(torch.device("cpu"), 32, 2), batches=lambda side, _: side)
    report = device.Report(None, seconds=100)
    device.training(sides, [1], report, 1.0, least=0.0)
    assert [row["side"] for row in report.results["training"]] == ["pixels", "CPU", "plain JPEG"]
    assert report.results["failed"] == {"tiny, jpeg, 1 workers": "RuntimeError: no decoder"}


def test_the_page_shows_it(found) -> None:
    page = on_device.composing(json.loads(json.dumps(found)))
    assert all(f"| {side} | 1 |" in page for side in device_sides.SIDES)


def test_images_that_are_wrong_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = device_sides.Place(torch.device("cpu"), 64, 2)
    monkeypatch.setattr(device, "BOUNDS", {"pixels": (0.0, 0), "jpeg": (0.0, 0)})
    with pytest.raises(ValueError, match="levels off"):
        device.agreement(device.opened(None, tmp_path / "rows", outlines=False), place)


def test_what_time_does_not_suffice_for_is_named_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    report = device.Report("device_x1", seconds=1e-9)
    assert list(report.in_time("end to end", [(1, "jpeg"), (1, "CPU")], 0.5)) == []
    left_out = json.loads((tmp_path / "device_x1.json").read_text())["left_out"]
    assert left_out == ["end to end: (1, 'jpeg')", "end to end: (1, 'CPU')"]


def test_results_are_kept_after_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    report = device.Report("device_x1", seconds=100)
    report.part("composing", {"a": 1})
    assert json.loads((tmp_path / "device_x1.json").read_text())["composing"] == {"a": 1}


def test_results_are_named_after_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.name_of(torch.device("cpu")) == "device"
    for name, wanted in (("NVIDIA H100 80GB HBM3", "h100"), ("NVIDIA A100-SXM4-40GB", "a100_sxm4_40gb")):
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _, name=name: name)
        assert device.name_of(torch.device("cuda")) == f"device_{wanted}"
