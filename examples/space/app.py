#!/usr/bin/env python
"""A page on which an object changes its background, and a classifier its answer: `python examples/space/app.py`.

FORNET_DEMO is the folder that `make demo` wrote (default: release/ beside this file, else demo/). FORNET_MODEL is the
classifier, as `fornet evaluate` names it (default: timm:resnet18). GRADIO_SERVER_PORT is the port.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from answers import Judge
from compose import LIMITS, View
from events import answer_all, answer_one, readable, show
from fornet_hf.errors import ForNetError
from shelf import Shelf, open_shelf
from words import CSS, HELP, INTRODUCTION, SLIDERS

MODEL = "timm:resnet18"
FONTS = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}  # none is fetched


def build(shelf: Shelf, judge: Judge) -> gr.Blocks:
    """Return the page."""
    objects, backgrounds = shelf.images()
    with gr.Blocks(
        title="ForNet: other backgrounds, other answers", analytics_enabled=False, fill_width=True
    ) as page:
        gr.Markdown(INTRODUCTION)
        with gr.Row():
            with gr.Column(scale=4, min_width=360):
                chosen = _choice("Object", objects, 1)
                behind = _choice("Background", backgrounds, 2)
                own = gr.Image(
                    label="or a background of your own", type="pil", sources=["upload"], height=110, elem_id="own"
                )
                own.preprocess = readable(own.preprocess)
                behind.change(lambda: None, None, own, api_visibility="private", show_progress="hidden")
                sliders = _sliders()
            with gr.Column(scale=8, min_width=360):
                with gr.Row():
                    with gr.Column(scale=5, min_width=340):
                        image = _image("Composition", 330, elem_id="composition")
                    with gr.Column(scale=3, min_width=240):
                        gr.Markdown(f"**Answer** of {judge.name}")
                        answer = gr.Label(num_top_classes=5, show_label=False, elem_id="answer")
                        note = gr.Markdown(elem_id="note")
                    with gr.Column(scale=2, min_width=150):
                        mask = _image("Mask", 160, elem_id="mask")
                        before = _image("Original", 160, elem_id="before")
                gr.Markdown("**The same object on every background**")
                row = gr.Gallery(columns=max(5, len(backgrounds) // 2), elem_id="row", **_STILL)
                said = gr.Markdown(elem_id="verdict")
        view = [chosen, behind, own, *sliders]
        changes = [page.load, *(part.change for part in view)]
        shown = gr.on(changes, partial(show, shelf), view, [image, mask, before], api_name="compose", **_QUICK)
        asked = shown.success(partial(answer_one, judge), image, [answer, note], api_name="answer", **_SLOW)
        inputs = [chosen, *sliders]
        asked.success(partial(answer_all, shelf, judge), inputs, [row, said], api_name="backgrounds", **_SLOW)
    return page


_STILL: dict[str, Any] = {
    "allow_preview": False, "interactive": False, "object_fit": "contain", "show_label": False, "buttons": [],
}  # fmt: skip
_QUICK: dict[str, Any] = {"trigger_mode": "always_last", "show_progress": "hidden"}
_SLOW: dict[str, Any] = {**_QUICK, "concurrency_id": "classifier"}


def _choice(label: str, images: list[tuple[Any, str]], first: int) -> gr.Dropdown:
    """Add a gallery; return the name that is chosen in it, which programs give themselves."""
    names = [name for _, name in images]
    first = min(first, len(names) - 1)
    gr.Markdown(f"**{label}**")
    gallery = gr.Gallery(
        images, columns=max(5, len(images) // 2), height=105, selected_index=first, elem_id=label.lower(), **_STILL
    )
    name = gr.Dropdown(names, value=names[first], label=label, visible=False)

    def pick(event: gr.SelectData) -> str:
        return names[int(event.index)]

    gallery.select(pick, None, name, api_visibility="private", show_progress="hidden")
    return name


def _image(label: str, height: int, elem_id: str) -> gr.Image:
    return gr.Image(
        label=label, format="png", interactive=False, height=height, elem_id=elem_id, buttons=["fullscreen"]
    )


def _sliders() -> list[gr.Slider]:
    """Add the sliders; return them in the order of `LIMITS`."""
    with gr.Group():
        sliders = [
            gr.Slider(
                low,
                high,
                getattr(View, name),
                step=0.5 if name == "feather" else 0.01,
                label=SLIDERS[name],
                elem_id=name,
            )
            for name, (low, high) in LIMITS.items()
        ]
    gr.Markdown(HELP, elem_id="help")
    return sliders


def main() -> int:
    """Serve the page until it is stopped; return the exit status."""
    here = Path(__file__).parent / "release"
    folder = Path(os.environ.get("FORNET_DEMO") or (here if here.is_dir() else "demo"))
    try:
        shelf = open_shelf(folder)
    except ForNetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    page = build(shelf, Judge(os.environ.get("FORNET_MODEL") or MODEL, shelf.classes))
    page.launch(theme=gr.themes.Soft(**FONTS), css=CSS, ssr_mode=False, show_error=True, max_file_size="10mb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
