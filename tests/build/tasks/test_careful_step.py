"""What happens to images with which models fail, and who is to blame."""

import contextlib
import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from producers.detect.boxes import CentredBox
from producers.scene import Identity, Scene
from producers.step import Detect
from producers.tasks.careful_step import CarefulStep
from producers.work.report import Lost, Report


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


@dataclass
class Fails:
    """A detector that finds nothing in some images, and fails with some, alone or together with others."""

    error: Exception
    keys: str
    empty: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def identity(self):
        return Identity(name="fails", model="none", revision="1")

    def detect(self, scenes):
        self.asked.append("".join(scene.key for scene in scenes))
        if any(scene.key in self.keys for scene in scenes):
            raise self.error
        return [[] if scene.key in self.empty else CentredBox().detect([scene])[0] for scene in scenes]


def careful(detector, **options):
    return CarefulStep(Detect(detector), Report(), **options)


def scenes(keys):
    raster = np.zeros((60, 80, 3), np.uint8)
    return [Scene(key=key, raster=raster, prompts=("a cat.",)) for key in keys]


def outcomes(found):
    return [one.outcome if isinstance(one, Lost) else "ok" if one.detections else "no_detect" for one in found]


@pytest.mark.parametrize("error", [OutOfMemoryError("2 GiB"), ValueError("odd"), ZeroDivisionError("flat")])
def test_a_image_with_which_models_fail_does_not_take_the_others_along(error):
    found = careful(Fails(error, "b"))(scenes("abcd"))
    assert outcomes(found) == ["ok", "error", "ok", "ok"]
    assert found[1] == Lost("b", "error", type(error).__name__, str(error))


@pytest.mark.parametrize("error", [OutOfMemoryError("2 GiB"), ValueError("broken")])
@pytest.mark.parametrize(("keys", "empty"), [("abcd", ""), ("abcd", "ef")])
def test_models_that_fail_with_several_images_and_with_none_succeed_are_to_blame(error, keys, empty):
    with pytest.raises(type(error), match=str(error)):
        careful(Fails(error, keys, empty))(scenes(keys + empty))


def test_they_are_to_blame_in_batches_of_one_image_too():
    search = careful(Fails(ValueError("broken"), "abcd"))
    assert [outcomes(search(scenes(key))) for key in "abc"] == [["error"]] * 3
    with pytest.raises(ValueError, match="broken"):
        search(scenes("d"))


def test_odd_images_before_the_first_success_are_in_the_report():
    search = careful(Fails(OutOfMemoryError("2 GiB"), "ab", "x"))
    assert outcomes(search(scenes("axx"))) == ["error", "no_detect", "no_detect"]
    assert outcomes(search(scenes("bxx"))) == ["error", "no_detect", "no_detect"]
    assert outcomes(search(scenes("c"))) == ["ok"]
    search.judge()


@pytest.mark.parametrize("broken", ["a", "ab"])
def test_models_that_failed_with_several_images_and_never_succeeded_are_to_blame_in_the_end(broken):
    search = careful(Fails(ValueError("broken"), broken, "x"))
    search(scenes(broken + "x"))
    with pytest.raises(ValueError, match="broken") if len(broken) > 1 else contextlib.nullcontext():
        search.judge()


def test_models_that_still_work_are_not_blamed_for_a_batch_of_bad_images():
    detector = Fails(ValueError("odd"), "bcd")
    search = careful(detector)
    assert outcomes(search(scenes("a"))) == ["ok"]
    assert outcomes(search(scenes("bcd"))) == ["error"] * 3
    assert detector.asked == ["a", "bcd", "b", "c", "d", "a"]


def test_models_that_break_after_they_worked_are_to_blame():
    detector = Fails(ValueError("broken"), "")
    search = careful(detector)
    search(scenes("a"))
    detector.keys = "abc"
    with pytest.raises(ValueError, match="broken"):
        search(scenes("b"))


def test_an_error_of_the_gpu_is_not_blamed_on_images():
    detector = Fails(RuntimeError("CUDA error: an illegal memory access was encountered"), "b")
    with pytest.raises(RuntimeError, match="illegal memory"):
        careful(detector)(scenes("abcd"))
    assert detector.asked == ["abcd"]


def test_a_image_waits_while_others_use_the_gpu():
    detector = Fails(OutOfMemoryError("2 GiB"), "b")
    looks = itertools.count()

    def shared():
        if next(looks) == 1:
            detector.keys = ""  # the other one leaves
        return True

    assert outcomes(careful(detector, shared=shared, pauses=(0, 0, 0))(scenes("ab"))) == ["ok", "ok"]
    assert detector.asked == ["ab", "a", "b", "b", "b"]


def test_no_image_is_lost_while_others_use_the_gpu():
    detector = Fails(OutOfMemoryError("2 GiB"), "b")
    with pytest.raises(OutOfMemoryError):
        careful(detector, shared=lambda: True, pauses=(0, 0))(scenes("ab"))
    assert detector.asked == ["ab", "a", "b", "b", "b"]


def test_a_image_is_tried_again_when_others_have_just_left():
    detector = Fails(OutOfMemoryError("2 GiB"), "b")

    def shared():
        detector.keys = ""
        return False

    assert outcomes(careful(detector, shared=shared)(scenes("ab"))) == ["ok", "ok"]


def test_odd_images_do_not_wait_for_others_to_leave():
    found = careful(Fails(ValueError("odd"), "b"), shared=lambda: True)(scenes("ab"))
    assert outcomes(found) == ["ok", "error"]
