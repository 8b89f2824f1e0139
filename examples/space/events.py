"""Changes on the page, and what is shown after each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from PIL import Image

from answers import Judge, best
from compose import LIMITS, View, composed
from fornet_hf.errors import ForNetError
from fornet_hf.preview import taken_apart
from shelf import Row, Shelf
from words import caption, verdict

P = ParamSpec("P")
R = TypeVar("R")


def readable(function: Callable[P, R]) -> Callable[P, R]:
    """Return gradio's function that reads a visitor's image; the page shows a plain message if it cannot be read."""

    def read(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*arguments, **keywords)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise gr.Error("This image cannot be read: choose another one.", print_exception=False) from error

    return read


def show(
    shelf: Shelf, chosen: str | None, behind: str | None, own: Image.Image | None, *sliders: float
) -> tuple[Image.Image, Image.Image | None, Image.Image]:
    """Return composition, mask, and the image that the object is from.

    Args:
        shelf: to choose from.
        chosen: name of the object.
        behind: name of the background.
        own: the visitor's background, in its place.
        sliders: values in the order of `LIMITS`.

    Raises:
        gr.Error: no object or no background is chosen; the page shows its message.
    """
    row = _object(shelf, chosen)
    made = _told(composed, row, own or _background(shelf, behind), _view(sliders))
    return made.image, made.mask, taken_apart(row)[0]


def answer_one(judge: Judge, image: Any) -> tuple[dict[str, float] | None, str]:
    """Return the probabilities of all classes; without a classifier none, and the reason."""
    try:
        return judge.answers([Image.fromarray(image)])[0], ""
    except ForNetError as error:
        return None, f"**There are no answers**, but all else works. {error}"


def answer_all(
    shelf: Shelf, judge: Judge, chosen: str | None, *sliders: float
) -> tuple[list[tuple[Image.Image, str]], str]:
    """Return the object on each background with the answer, and how many of them are right."""
    row, view = _object(shelf, chosen), _view(sliders)
    images = [_told(composed, row, one["background"], view).image for one in shelf.backgrounds.values()]
    try:
        answers = judge.answers(images)
    except ForNetError:  # `answer_one` says why
        return list(zip(images, shelf.backgrounds, strict=True)), ""
    named = [best(answer) for answer in answers]
    captions = [caption(name, answer[name], chosen) for name, answer in zip(named, answers, strict=True)]
    return list(zip(images, captions, strict=True)), verdict(str(chosen), named)


def _object(shelf: Shelf, chosen: str | None) -> Row:
    if chosen is None or chosen not in shelf.objects:
        raise gr.Error("No object is chosen: click on one.", print_exception=False)
    return shelf.objects[chosen]


def _background(shelf: Shelf, behind: str | None) -> Any:
    if behind is None or behind not in shelf.backgrounds:
        raise gr.Error("No background is chosen: click on one, or upload one.", print_exception=False)
    return shelf.backgrounds[behind]["background"]


def _view(sliders: tuple[float, ...]) -> View:
    return _told(View, **dict(zip(LIMITS, sliders, strict=True)))


def _told(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """Call a function of the library; the page shows the message of its errors."""
    try:
        return function(*arguments, **keywords)
    except ForNetError as error:
        raise gr.Error(str(error), print_exception=False) from error
