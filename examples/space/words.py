"""The words on the page."""

from __future__ import annotations

from collections.abc import Sequence

INTRODUCTION = """
# Other backgrounds, other answers

[ForNet](https://huggingface.co/datasets/TNauen/ForNet) takes images apart into objects and backgrounds.
Put an object on another background, and see whether a classifier still knows it.
"""
SLIDERS = {"size": "Size", "x": "Across", "y": "Down", "feather": "Feather", "crop": "Crop"}
HELP = """
*Size*: area of the object / area of the background. *Across*, *Down*: place of its middle.
*Feather*: softness of its edge, pixels. *Crop*: area that is shown / area of the background.
"""
CSS = """
footer { display: none !important; }
.grid-container { grid-template-columns: repeat(var(--grid-cols), minmax(0, 1fr)) !important; }
.caption-label { font-size: 0.75em !important; padding: 1px 5px !important; }
#row, #row .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important; }
#help p { font-size: 0.85em; }
#verdict p { font-size: 1.15em; }
@media (max-width: 640px) { #row .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; } }
"""


def caption(answer: str, probability: float, truth: str | None) -> str:
    """Return an answer in few signs."""
    return f"{'✓' if answer == truth else '✗'} {answer} {probability:.0%}"


def verdict(truth: str, answers: Sequence[str]) -> str:
    """Return in how many of its answers a classifier knows the object."""
    right = sum(answer == truth for answer in answers)
    others = sorted({answer for answer in answers if answer != truth})
    wrong = f" It also says: {', '.join(others)}." if others else ""
    return f"The object is a **{truth}**. The classifier says so on **{right} of {len(answers)}** backgrounds.{wrong}"
