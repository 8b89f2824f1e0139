"""The benchmark of the U-Net runs on a CPU with a narrow network."""

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")
pytest.importorskip("safetensors")

from benchmarks import harness, unet  # noqa: E402
from producers.distil.configuration import PRESETS, Training  # noqa: E402


def test_all_sides_are_timed_and_a_wide_networks_flops_are_counted_without_its_weights():
    before = sorted(harness.RESULTS.iterdir())
    arguments = unet.parse(["--quick", "--device", "cpu", "--images", "9"])
    found = unet.sides(arguments, Training(widths=(2, 4), side=16))
    assert [*found["sides"]] == ["network alone", "step", "one by one"]
    assert all(times["items_per_second"] > 0 for times in found["sides"].values())
    assert found["shape"] == [16, 22]
    assert sorted(harness.RESULTS.iterdir()) == before
    height, width = 128, 176
    by_hand = sum(  # the first level's convolutions, down and up, are most of it
        2 * 9 * a * b * height * width for a, b in ((3, 64), (64, 64), (128, 64), (64, 64))
    )
    assert by_hand / 1e9 < unet.flops(PRESETS["concept"]) < 40


@pytest.mark.parametrize(("scenes", "others", "fits"), [(128, 1, True), (128, 2, False), (16, 1, False)])
def test_rounding_may_tip_the_scale_for_one_scene_in_a_hundred(scenes, others, fits):
    found = [0] * others + [1] * (scenes - others)
    with nullcontext() if fits else pytest.raises(RuntimeError, match=f"{others} of {scenes} scenes"):
        unet.compare(found, [1] * 1024)
