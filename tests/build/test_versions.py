"""From masks of several prompts to versions."""

import numpy as np

from producers.backends import Detection
from producers.versions import versions


def square(x0, x1):
    mask = np.zeros((10, 100), bool)
    mask[:, x0:x1] = True
    return mask


def found(*answers):
    detections = [Detection(box=(0, 0, 1, 1), score=score, prompt=prompt) for prompt, score, _ in answers]
    return versions(detections, [mask for _, _, mask in answers])


def test_masks_of_one_prompt_are_united():
    (one,) = found(("cat", 0.4, square(0, 10)), ("cat", 0.6, square(50, 60)))
    assert np.array_equal(one.mask, square(0, 10) | square(50, 60))
    assert (one.prompt, one.score) == ("cat", 0.6)


def test_prompts_that_agree_are_one_version_named_after_the_first():
    (one,) = found(("cat", 0.4, square(0, 95)), ("animal", 0.6, square(0, 100)))
    assert (one.prompt, one.score, one.mask.all()) == ("cat", 0.6, True)


def test_an_overlap_of_nine_tenths_is_not_enough():
    assert [one.prompt for one in found(("cat", 0.4, square(0, 90)), ("animal", 0.6, square(0, 100)))] == [
        "cat",
        "animal",
    ]


def test_empty_masks_are_not_found():
    assert found(("cat", 0.4, square(0, 0))) == []
