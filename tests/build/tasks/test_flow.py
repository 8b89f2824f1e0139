"""Images of many windows share batches, and leave in their order."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from fornet_hf.errors import ConfigurationError
from producers.devices.batches import BatchSize
from producers.scene import Cut, Detection, Scene
from producers.step import Detect, Infill, Step
from producers.tasks.careful_step import CarefulStep
from producers.tasks.flow import SOME, SPAN, Flow, batch_of, bucket_of, through
from producers.work.report import Lost, Report

MASK = np.ones((4, 4), bool)


@dataclass
class Detector:
    """Finds nothing in images whose key begins with an x, and fails with those that begin with an f."""

    batch_size: BatchSize = field(default_factory=lambda: BatchSize(3))
    batches: list[str] = field(default_factory=list)

    def bucket(self, height, width):
        return height > width

    def detect(self, scenes):
        self.batches.append(" ".join(one.key for one in scenes))
        if any(one.key.startswith("f") for one in scenes):
            raise ValueError("odd")
        found = [Detection(box=(0, 0, 1, 1), score=0.5, prompt="a")]
        return [[] if one.key.startswith("x") else found for one in scenes]


class Echo(Step):
    """Has a mark for each of its batches, and no hints."""

    stage, gives = "echo", frozenset({"versions"})

    def __init__(self):
        self.batches = []

    def __call__(self, scenes):
        self.batches.append(" ".join(one.key for one in scenes))
        return list(scenes)

    def items(self, scene):
        return len(scene.detections)


def scene(key, prompts=1):
    """Upright if the key is in capitals."""
    shape = (8, 6, 3) if key.isupper() else (6, 8, 3)
    return Scene(key=key, raster=np.zeros(shape, np.uint8), prompts=("a",) * prompts)


def flow(keys, window=100, size=3, **leaving):
    """Take images through a detector and a step after it; return both and what left."""
    detector, echo = Detector(BatchSize(size)), Echo()
    steps = [CarefulStep(one, Report()) for one in (Detect(detector), echo)]
    images = ((key, Lost(key, "error", "?", "") if key == "?" else scene(key)) for key in keys.split())
    left = [one.result() for one in through(images, steps, window, leaving.get("leave", done))]
    return detector.batches, echo.batches, left


def done(key, outcome):
    future = Future()
    future.set_result(f"{key}!" if isinstance(outcome, Lost) else key)
    return future


def test_a_batch_is_of_one_shape_with_images_from_far_apart():
    detected, _, left = flow("a B c D E j g h i")
    assert detected == ["B D E", "a c j", "g h i"]
    assert left == ["a", "B", "c", "D", "E", "j", "g", "h", "i"]


def test_the_oldest_goes_on_in_a_short_batch_when_too_many_wait():
    detected, _, left = flow("A b C d e g h", window=4, size=9)
    assert detected == ["A C", "b d e g", "h"]
    assert left == ["A", "b", "C", "d", "e", "g", "h"]


def test_the_batches_at_the_end_are_those_that_are_left():
    assert flow("a B c D", size=9)[:2] == (["a c", "B D"], ["a B c D"])


def test_an_image_for_which_a_step_has_nothing_to_do_does_not_wait():
    assert flow("a x b", size=3)[1] == ["x", "a b"]


def test_images_that_cannot_be_used_or_fail_leave_in_their_order():
    detected, echoed, left = flow("a ? f b")
    assert detected == ["a f b", "a", "f", "b"]
    assert echoed == ["a b"]
    assert left == ["a", "?!", "f!", "b"]


@pytest.mark.parametrize(("window", "size"), [(1, 3), (5, 3), (5, 99)])
def test_a_bounded_number_of_images_has_not_left(window, size):
    """The second one is of another shape than all others, so it waits for long if the batches of these are small."""
    inside, peak = set(), 0

    def images():
        nonlocal peak
        for key in map(str, range(200)):
            inside.add(key)
            peak = max(peak, len(inside))
            yield key, scene("A" if key == "1" else key)

    detector = Detector(BatchSize(size))
    for one in through(images(), [CarefulStep(Detect(detector), Report())], window, done):
        inside.discard(one.result())
    assert max(len(batch.split()) for batch in detector.batches) == min(window, size)
    assert peak == SPAN * window if window > size else peak < 2 * window


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        ({"bucket": lambda height, width: {}[height]}, "KeyError in its `bucket`: 4"),
        ({"bucket": lambda height, width: [height, width]}, "TypeError in its `bucket`"),
        ({"batch_size": "many"}, "ValueError in its `batch_size`"),
    ],
)
def test_a_model_whose_hints_fail_is_told_at_once(hints, said):
    """A ConfigurationError ends a run; after others it would begin the shard again."""
    infill = Infill(SimpleNamespace(**hints), 0)
    with pytest.raises(ConfigurationError, match=f"the infill model SimpleNamespace does not say .* found {said}"):
        list(Flow([CarefulStep(infill, Report())]).put(0, one_with(1)))


def test_images_that_wait_count_with_all_their_versions():
    infill = Infill(Detector(BatchSize(4)), 0)
    assert [infill.items(one_with(number)) for number in (0, 2)] == [0, 2]


def one_with(versions):
    return Scene(
        key="a", raster=np.zeros((4, 4, 3), np.uint8), prompts=("a",), versions=(Cut(MASK, "a", 1),) * versions
    )


def test_a_batch_has_at_most_as_many_items_as_the_model_takes():
    batches = []

    class Infiller:
        batch_size = BatchSize(4)

        def infill(self, rasters, holes):
            batches.append(len(rasters))
            return list(rasters)

    scenes = [(number, one_with(count)) for number, count in enumerate([3, 3, 1, 2, 5, 1])]
    assert len(list(through(scenes, [CarefulStep(Infill(Infiller(), 0), Report())], 99, done))) == 6
    assert batches == [3, 4, 2, 5, 1]


def test_models_without_hints_get_some_of_any_shape():
    assert batch_of(Echo()) == SOME
    assert bucket_of(Echo(), scene("a")) == bucket_of(Echo(), scene("A"))


def test_images_of_different_numbers_of_prompts_do_not_share_a_detectors_batch():
    detect = Detect(Detector())
    assert bucket_of(detect, scene("a", 2)) != bucket_of(detect, scene("a", 3))
    assert bucket_of(detect, scene("a", 2)) == bucket_of(detect, scene("b", 2)) != bucket_of(detect, scene("B", 2))


def test_a_batch_that_memory_made_smaller_is_full_sooner():
    detector = Detector(BatchSize(8))
    detector.batch_size.value = 2
    assert batch_of(Detect(detector)) == 2
