"""Taking images apart: every image has one outcome."""

import io

import numpy as np
from PIL import Image

from fornet_hf.format.encoding import Encoding
from fornet_hf.format.raster import canonical_raster
from producers.infill.inpaint import OpenCVInpaint
from producers.scene import Detection, Identity
from producers.step import Backends
from producers.tasks.candidates import take_apart
from producers.work.plan import Labelled
from producers.work.report import Report

NOBODY = Identity(name="stub", model="none", revision="0")


class Halves:
    """Finds the left half for the first prompt and the right half for the second; nothing in black images."""

    identity = NOBODY

    def detect(self, scenes):
        return [self._detect(scene) if scene.raster.any() else [] for scene in scenes]

    def _detect(self, scene):
        height, width = scene.raster.shape[:2]
        boxes = [(0, 0, width // 2, height), (width // 2, 0, width, height)]
        return [Detection(box=b, score=0.5, prompt=p) for b, p in zip(boxes, scene.prompts, strict=False)]

    def segment(self, rasters, boxes):
        return [[self._mask(raster, box) for box in found] for raster, found in zip(rasters, boxes, strict=True)]

    def _mask(self, raster, box):
        mask = np.zeros(raster.shape[:2], bool)
        if raster.mean() < 250:  # white images have boxes, but no masks
            mask[box[1] : box[3], box[0] : box[2]] = True
        return mask


def outcomes(*images):
    half = Halves()
    backends = Backends(detector=half, segmenter=half, infiller=OpenCVInpaint())
    return take_apart(images, backends, Encoding(max_side=64), Report())


def made_image(key, colour, prompts=("left",)):
    buffer = io.BytesIO()
    Image.new("RGB", (100, 50), colour).save(buffer, "PNG")
    return Labelled(key, 0, buffer.getvalue(), prompts)


def test_outcomes_keep_the_order_and_none_stops_another():
    found = outcomes(
        Labelled("damaged", 0, b"no image", ("x",)),
        made_image("black", (0, 0, 0)),
        made_image("red", (200, 0, 0)),
        made_image("white", (255, 255, 255)),
        made_image("blue", (0, 0, 200), ("left", "right")),
    )
    damaged, black, red, white, blue = found
    assert (damaged.key, damaged.outcome, damaged.kind) == ("damaged", "error", "SourceError")
    assert (black.outcome, black.kind) == ("no_detect", "no box")
    assert (white.outcome, white.kind) == ("no_detect", "empty mask")
    assert [one.prompt for one in red] == ["left"]
    assert [(one.version, one.prompt) for one in blue] == [(0, "left"), (1, "right")]


def test_masks_and_infilled_images_have_the_size_of_the_canonical_raster():
    source = made_image("red", (200, 0, 0))
    ((candidate,),) = outcomes(source)
    raster = np.asarray(canonical_raster(source.data, 64))
    assert candidate.mask.shape == raster.shape[:2] == (32, 64)
    assert candidate.infilled.shape == raster.shape
    assert candidate.mask[:, :32].all()
    assert not candidate.mask[:, 32:].any()


def test_each_version_gets_its_own_infilling():
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32, 0] = pixels[:, 32:, 1] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    ((left, right),) = outcomes(Labelled("both", 0, buffer.getvalue(), ("left", "right")))
    assert left.infilled[32, 4].argmax() == 1  # green has gone to the left
    assert right.infilled[32, 60].argmax() == 0


def test_no_images_no_outcomes():
    assert outcomes() == []
