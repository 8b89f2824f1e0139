"""Chains of steps: refused without a model, and run from images to candidates."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fornet_hf.errors import ConfigurationError
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import dilate
from producers.infill.inpaint import OpenCVInpaint
from producers.refine.inpaint_difference import InpaintDifference
from producers.scene import Cut, Detection, Identity, Scene
from producers.segment.versions import overlap
from producers.step import Backends, Detect, Infill, Merge, ModelStep, Refine, Segment, Step, check_chain, in_order
from producers.tasks.candidates import take, take_apart
from producers.work.plan import Labelled
from producers.work.report import Report


class BrightFinder(ModelStep):
    """Finds and segments at once: a cut for each prompt that names the brightest colour; needs no boxes."""

    needs, gives = frozenset({"prompts"}), frozenset({"masks"})
    identity = Identity(name="bright", model="none", revision="1")

    def __call__(self, scenes):
        return [Scene(key=one.key, raster=one.raster, prompts=one.prompts, masks=self._masks(one)) for one in scenes]

    def _masks(self, scene):
        mask = scene.raster[..., 0] > 150
        return tuple(Cut(mask, prompt, 0.9 - index / 10) for index, prompt in enumerate(scene.prompts) if mask.any())


class RoughFinder(BrightFinder):
    """Finds the same, and five pixels around it."""

    def __call__(self, scenes):
        return [replace(one, masks=tuple(map(self._rough, one.masks))) for one in super().__call__(scenes)]

    def _rough(self, cut):
        return replace(cut, mask=dilate(cut.mask, 5))


class Layers(ModelStep):
    """Gives everything at once."""

    needs, gives = frozenset({"prompts"}), frozenset({"versions", "infilled"})
    identity = Identity(name="layers", model="none", revision="1")

    def __call__(self, scenes):
        raise NotImplementedError


def labelled(key, red):
    pixels = np.full((40, 60, 3), 90, np.uint8)
    pixels[10:30, 20:40, 0] = red
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return Labelled(key, 0, buffer.getvalue(), ("a thing.", "an object."))


def test_a_finder_and_segmenter_in_one_goes_from_images_to_candidates():
    backends = Backends(detector=None, segmenter=BrightFinder(), infiller=OpenCVInpaint())
    images = [labelled("a", 255), labelled("dark", 90), labelled("b", 200)]
    first, dark, second = take_apart(images, backends, Encoding(), report := Report())
    for (candidate,) in (first, second):
        assert (candidate.version, candidate.prompt, candidate.score) == (0, "a thing.", 0.9)
        assert candidate.mask.sum() == 20 * 20
        changed = (candidate.infilled != 90).any(-1) & candidate.mask
        assert changed.mean() < 1
        assert not (candidate.infilled[~dilate(candidate.mask, Encoding().dilation)] != 90).any()
    assert (dark.outcome, dark.kind) == ("no_detect", "no mask")
    assert dark.detail == "the segmenter found nothing for ['a thing.', 'an object.']"
    assert list(backends.to_json()) == ["segmenter", "infiller"]
    assert "detect" not in report.seconds


def test_rough_masks_are_refined_before_their_holes_are_filled():
    backends = Backends(detector=None, segmenter=RoughFinder(), infiller=OpenCVInpaint(), refiner=InpaintDifference())
    ((candidate,), lost) = take_apart(
        [labelled("a", 255), labelled("dark", 90)], backends, Encoding(dilation=0), report := Report()
    )
    exact = np.zeros((40, 60), bool)
    exact[10:30, 20:40] = True
    assert overlap(candidate.mask, exact) > 0.98
    changed = (candidate.infilled != np.where(exact[..., None], [255, 90, 90], 90)).any(-1)
    assert not (changed & ~candidate.mask).any()
    assert lost.kind == "no mask"
    assert list(report.seconds) == ["decode", "segment", "refine", "infill"]
    assert list(backends.to_json()) == ["segmenter", "infiller", "refiner"]


class Erases:
    """A refiner that leaves nothing of the first mask, and of the others what the first one was."""

    identity = Identity(name="erases", model="none", revision="1")

    def refine(self, rasters, masks, infiller):
        return [np.zeros_like(masks[0]), *[masks[0]] * (len(masks) - 1)]


def test_versions_that_refining_empties_go_and_those_that_it_makes_alike_become_one():
    masks = np.zeros((3, 8, 8), bool)
    masks[0, :4], masks[1, 2:6], masks[2, 4:] = True, True, True
    cuts = tuple(Cut(mask, prompt, 0.5) for mask, prompt in zip(masks, "abc", strict=True))
    scene = Scene(key="x", raster=np.zeros((8, 8, 3), np.uint8), prompts=("a",), versions=cuts)
    (found,) = Refine(Erases())([scene])
    assert [cut.prompt for cut in found.versions] == ["b"]
    assert np.array_equal(found.versions[0].mask, masks[0])
    assert found.emptied == 1


def test_an_image_of_which_refining_leaves_nothing_is_counted_with_the_reason():
    backends = Backends(detector=None, segmenter=BrightFinder(), infiller=OpenCVInpaint(), refiner=Erases())
    image = replace(labelled("a", 255), prompts=("a thing.",))
    (lost,) = take_apart([image], backends, Encoding(), Report())
    assert (lost.outcome, lost.kind) == ("no_detect", "refined away")
    assert lost.detail == "the refiner left nothing of what the segmenter found for ['a thing.']"


@pytest.mark.parametrize(
    "chain",
    [
        [Detect, Segment, Merge, Infill],
        [BrightFinder(), Merge, Infill],
        [BrightFinder(), Merge, Refine, Infill],
        [Layers()],
        in_order(Detect, Segment, Merge, Refine, Infill),
        in_order(None, Layers(), Merge, None, None),
    ],
)
def test_chains_that_give_candidates_pass_before_a_model_is_loaded(chain):
    check_chain(chain)


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (
            [Segment, Detect, Merge, Infill],
            "needs detections, which no step before it gives; found segment -> ",
        ),
        ([Segment, Merge, Infill], "segment needs detections"),
        ([Detect, Segment, Infill, Merge], "infill needs versions"),
        ([Detect, Segment, Merge], "no step gives infilled"),
        ([Detect, Segment, Refine, Merge, Infill], "refine needs versions"),
        ([Detect, BrightFinder(), Merge, Infill], "detect gives detections, which no step after it needs"),
        ([], "no step gives infilled and versions"),
    ],
)
def test_wrong_orders_are_refused_before_a_model_is_loaded(chain, message):
    with pytest.raises(ConfigurationError, match=message):
        check_chain(chain)


def test_a_step_that_loses_scenes_is_named():
    class Loses(Step):
        def __call__(self, scenes):
            return scenes[1:]

    scenes = [Scene(key=key, raster=np.zeros((2, 2, 3), np.uint8), prompts=("x",)) for key in "ab"]
    with pytest.raises(TypeError, match="Loses gave other scenes back"):
        take(Loses(), scenes, Report())


class Stacking:
    """A model that cannot be asked for nothing, as of another package may be: it stacks what it gets."""

    identity = Identity(name="stacking", model="none", revision="1")

    def segment(self, rasters, boxes):
        assert all(boxes)
        return [
            [np.ones(raster.shape[:2], bool)] * len(found)
            for raster, found in zip(np.stack(rasters), boxes, strict=True)
        ]

    def refine(self, rasters, masks, infiller):
        return list(np.stack(masks))

    def infill(self, rasters, holes):
        return list(np.stack(rasters))


@pytest.mark.parametrize("count", [0, 1])
def test_models_see_no_image_in_which_there_is_nothing_to_do(count):
    found = Detection(box=(0, 0, 2, 2), score=0.5, prompt="a")
    scenes = [
        Scene(
            key=str(index),
            raster=np.zeros((4, 4, 3), np.uint8),
            prompts=("a",),
            detections=(found,) * (index < count),
        )
        for index in range(2)
    ]
    for step in (Segment(Stacking()), Merge(), Refine(Stacking()), Infill(Stacking(), 0)):
        scenes = take(step, scenes, Report())
    assert [len(one.infilled) for one in scenes] == [count, 0]
