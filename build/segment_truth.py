#!/usr/bin/env python
"""Segment images by prompts that the truth gives, or by a text, so that a segmenter is measured by itself.

    python build/segment_truth.py VOC2012/JPEGImages VOC2012 sam-voc --layout voc --segmenter sam
    fornet masks sam-voc VOC2012 --layout voc
    python build/segment_truth.py CUB CUB birds --layout cub --segmenter MODEL --prompt text --text "a bird."
    fornet masks birds CUB --layout cub

Each object of the truth gives a box around it, or the point of it that is farthest from its edge; what the
segmenter finds for all of them is the mask of the image. Images whose truth is empty give no prompt, so their mask
is empty. By text, a segmenter that needs no boxes looks for it in every image, and what it finds for all texts is the
mask. --refine makes it exact. OUT gets a PNG for each image, of the size that the image was shrunk to. A run that
was interrupted goes on where it was when the same command is given again.

IMAGES is a folder of image files, flat or in folders, named as the truth is; or one with images.txt.

Exit status: 0 done, 1 an error that a message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fornet_hf.errors import ConfigurationError, NotFoundError, explain
from fornet_hf.evaluation.masks.layouts import LAYOUTS, read_truth
from fornet_hf.evaluation.masks.names import image_files
from fornet_hf.evaluation.masks.sets import MaskSet
from fornet_hf.files import atomic_path, write_text
from fornet_hf.format.encoding import Encoding
from fornet_hf.format.masks import Box, Mask, bounding_box, encode_mask
from fornet_hf.format.raster import canonical_raster
from fornet_hf.progress import progress
from fornet_hf.sources.image_list import SPLITS
from producers.detect.boxes import pixel_box
from producers.devices.opencv import load_cv2
from producers.devices.placement import Placement
from producers.registry import Choice, find, models
from producers.scene import Point, Raster, Scene
from producers.step import GIVEN, ModelStep, Refine
from producers.work.command import add_settings, described, finish, positive, with_settings
from producers.work.settings import noted_settings

SETTINGS = "segment_truth.json"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = described(__doc__)
    result.add_argument("images", type=Path, metavar="IMAGES", help="folder of the images")
    result.add_argument("truth", type=Path, metavar="TRUTH", help="the folder of the set; of COCO its JSON file")
    result.add_argument("out", type=Path, metavar="OUT", help="folder of the masks; made if it is not there")
    result.add_argument("--layout", choices=LAYOUTS, default="png", help="of the truth (default: %(default)s)")
    result.add_argument("--threshold", type=int, help="of the truth: level above which grey is the object")
    result.add_argument("--category", action="append", default=[], help="of COCO, whose objects count; default: all")
    result.add_argument("--split", choices=SPLITS, help="of cub, by its images.txt; default: all images")
    text = ", ".join(map(str, models("segmenter")))
    result.add_argument("--segmenter", type=Choice.parse, default=Choice("sam"), metavar="MODEL", help=text)
    text = (
        f"makes rough masks exact: {', '.join(map(str, models('refiner')))}, with a model of its own; default: none"
    )
    result.add_argument("--refine", dest="refiner", type=Choice.parse, metavar="MODEL", help=text)
    add_settings(result)
    text = "a box or a point of each object, or --text (default: %(default)s)"
    result.add_argument("--prompt", choices=("box", "point", "text"), default="box", help=text)
    text = 'what to look for by --prompt text, such as "a bird."; may be given several times'
    result.add_argument("--text", action="append", default=[], metavar="TEXT", help=text)
    result.add_argument("--max-side", type=int, default=Encoding.max_side, help="longest side, pixels (%(default)s)")
    result.add_argument("--precision", default="float32", help="float32 (default), bfloat16 or float16")
    result.add_argument("--device", default="cpu", help="of torch, such as cuda (%(default)s)")
    result.add_argument("--window", type=positive, default=16, help="images the model gets at a time (%(default)s)")
    return result


@dataclass(frozen=True)
class Summary:
    """A run's result: images with a mask, those of them that were made now and are empty, truths without an image."""

    masks: int
    empty: int
    no_image: int

    def summary(self) -> str:
        """Return a line for people."""
        others = {"empty ones made now": self.empty, "truths without an image": self.no_image}
        return ", ".join([f"{self.masks} masks", *(f"{count} {what}" for what, count in others.items() if count)])


def segment_truth(arguments: argparse.Namespace) -> Summary:
    """Do what the command line says.

    Raises:
        ForNetError: anything that a user can put right; its message says how.
    """
    truth = read_truth(
        arguments.truth,
        arguments.layout,
        threshold=arguments.threshold,
        categories=arguments.category,
        split=arguments.split,
    )
    images = image_files(arguments.images)
    paths = {number: images.paths[at] for at, number in images.matched(truth).items()}
    if not paths:
        raise NotFoundError(explain("no image has the name of a truth", found=[images.keys()[:2], truth.keys()[:2]]))
    choices = with_settings({"segmenter": arguments.segmenter, "refiner": arguments.refiner}, arguments.set)
    choices = {role: choice for role, choice in choices.items() if choice is not None}
    _check(choices, arguments)
    _begin(choices, arguments)
    keys = truth.keys()
    outputs = {number: arguments.out / f"{keys[number]}.png" for number in sorted(paths)}
    waiting, empty = [number for number, path in outputs.items() if not path.is_file()], 0
    if waiting:
        placement = partial(Placement, arguments.device, arguments.precision)
        loaded = {role: find(role, choice.name).load(choice, placement) for role, choice in choices.items()}
        model, refiner = loaded["segmenter"], loaded.get("refiner")
        ask = _by_text(model, keys, arguments.text) if arguments.text else _by_truth(model, truth, arguments.prompt)
        windows = [waiting[start : start + arguments.window] for start in range(0, len(waiting), arguments.window)]
        for window in progress(windows, "segmenting", "windows"):
            rasters = [np.asarray(canonical_raster(paths[one].read_bytes(), arguments.max_side)) for one in window]
            masks = [_united(*one) for one in zip(rasters, ask(window, rasters), strict=True)]
            for number, mask in zip(window, refiner.refine(rasters, masks) if refiner else masks, strict=True):
                empty += not mask.any()
                with atomic_path(outputs[number]) as temporary:
                    temporary.write_bytes(encode_mask(mask))
    return Summary(len(outputs), empty, len(keys) - len(outputs))


def _united(raster: Raster, masks: Sequence[Mask]) -> Mask:
    united: Mask = np.logical_or.reduce([np.zeros(raster.shape[:2], np.bool_), *masks])
    return united


def _check(choices: Mapping[str, Choice], arguments: argparse.Namespace) -> None:
    """Raise a ConfigurationError, before anything is loaded, if a model takes no such prompt or settings."""
    for role, choice in choices.items():
        find(role, choice.name).check(choice)
        find(role, choice.name).check_file(choice)
    if (refiner := choices.get("refiner")) and (
        find("refiner", refiner.name).step is not Refine or not refiner.model
    ):
        allowed = "--refine inpaint-difference=INFILLER"
        raise ConfigurationError(explain("the refiner needs a model of its own", found=str(refiner), allowed=allowed))
    choice, by_text = choices["segmenter"], arguments.prompt == "text"
    if by_text != bool(arguments.text):
        raise ConfigurationError(
            explain("--prompt text and --text go together", allowed='--prompt text --text "a cat."')
        )
    step = find("segmenter", choice.name).step
    if by_text and not (step.needs <= GIVEN and step.gives & {"masks", "versions"}):
        found = f"{choice.name}, which needs {' and '.join(sorted(step.needs - GIVEN))}"
        raise ConfigurationError(
            explain("the segmenter takes no text", found=found, then="Prompt it by box or point.")
        )
    if not by_text and issubclass(step, ModelStep):
        found, then = f"{choice.name}, which needs no boxes", "Prompt it by text."
        raise ConfigurationError(explain(f"the segmenter takes no {arguments.prompt}", found=found, then=then))


def _begin(choices: Mapping[str, Choice], arguments: argparse.Namespace) -> None:
    """Note the settings; raise a ConfigurationError if the folder was begun with others."""
    names = ("layout", "threshold", "category", "split", "prompt", "text", "max_side", "precision")
    settings = {name: getattr(arguments, name) for name in names}
    settings |= {**{role: str(choice) for role, choice in choices.items()}, **noted_settings(choices)}
    path = arguments.out / SETTINGS
    if path.is_file() and (known := json.loads(path.read_text(encoding="utf-8"))) != settings:
        then = "Name another folder."
        raise ConfigurationError(
            explain(f"{path}: begun with other settings", found=settings, allowed=known, then=then)
        )
    write_text(path, json.dumps(settings, indent=1) + "\n")


Asking = Callable[[Sequence[int], Sequence[Raster]], list[list[Mask]]]  # numbers of the truth, images -> masks


def _by_truth(model: Any, truth: MaskSet, prompt: str) -> Asking:
    """Return what prompts a segmenter by the objects of the truth and gives its masks of them.

    Raises:
        ConfigurationError: it does not take such prompts.
    """
    method, prompt_of = {"box": ("segment", box_around), "point": ("segment_points", innermost)}[prompt]
    if not hasattr(model, method):
        found = f"{model.identity.name} has no method {method}"
        raise ConfigurationError(explain(f"the segmenter takes no {prompt}", found=found))

    def ask(numbers: Sequence[int], rasters: Sequence[Raster]) -> list[list[Mask]]:
        objects = [truth.read(number).objects for number in numbers]
        prompts = [
            [prompt_of(mask, raster) for mask in masks] for masks, raster in zip(objects, rasters, strict=True)
        ]
        found: list[list[Mask]] = getattr(model, method)(rasters, prompts)
        return found

    return ask


def _by_text(step: ModelStep, keys: Sequence[str], texts: Sequence[str]) -> Asking:
    """Return what lets a segmenter look for texts; of versions the most confident one is its mask."""

    def ask(numbers: Sequence[int], rasters: Sequence[Raster]) -> list[list[Mask]]:
        scenes = [
            Scene(key=keys[number], raster=raster, prompts=tuple(texts))
            for number, raster in zip(numbers, rasters, strict=True)
        ]
        found = [scene.masks if scene.versions is None else scene.versions[:1] for scene in step(scenes)]
        return [[cut.mask for cut in cuts or ()] for cuts in found]

    return ask


def box_around(mask: Mask, raster: Raster) -> Box:
    """Return the tight box around an object, on a raster of another size."""
    height, width = mask.shape
    x0, y0, x1, y1 = bounding_box(mask)
    return pixel_box((x0 / width, y0 / height, x1 / width, y1 / height), raster)


def innermost(mask: Mask, raster: Raster) -> Point:
    """Return the pixel of an object that is farthest from its edge, of which the image's is one, on a raster."""
    cv2 = load_cv2()
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    y, x = np.unravel_index(depth[1:-1, 1:-1].argmax(), mask.shape)
    return int(x) * raster.shape[1] // mask.shape[1], int(y) * raster.shape[0] // mask.shape[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit status."""
    arguments = parser().parse_args(argv)
    return finish(partial(segment_truth, arguments), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
