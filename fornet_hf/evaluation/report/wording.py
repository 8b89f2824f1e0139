"""Measures and conditions in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf

from fornet_hf.evaluation.report.numbers import PERCENT, POINTS, RATIO, Unit

DOCS = "https://huggingface.co/datasets/TNauen/ForNet/blob/main/docs/evaluation.md"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A measure in words.

    Attributes:
        title: its name.
        sentence: says what its numbers mean.
        unit: of its numbers.
        ideal: its value for a model without the bias; infinite: the more the better; None: there is none.
        heading: of the docs on it; empty: its title.
    """

    title: str
    sentence: str = ""
    unit: Unit = RATIO
    ideal: float | None = None
    heading: str = ""

    def unit_of(self, part: str) -> Unit:
        """Return the unit of a part, which may be an accuracy that the measure comes from, or a difference."""
        if part.startswith("accuracy "):
            return PERCENT
        return POINTS if part == "difference" else self.unit

    @property
    def anchor(self) -> str:
        """The heading of the docs that this measure stands below."""
        return re.sub("[^a-z0-9 -]", "", (self.heading or self.title).lower()).replace(" ", "-")

    @property
    def aim(self) -> str:
        """The best value, in words."""
        if self.ideal is None:
            return ""
        return "higher is better" if self.ideal == inf else f"best: {self.ideal:g}"


MEASURES = {
    "accuracy": Wording(
        title="Accuracy",
        sentence="Share of the images whose class is the model's first answer.",
        unit=PERCENT,
        ideal=inf,
    ),
    "background_robustness": Wording(
        title="Background robustness",
        sentence="Accuracy on backgrounds of any class, divided by accuracy on those of the object's own class. "
        "1: the background does not matter; less: the model leans on it.",
        ideal=1,
    ),
    "centre_bias": Wording(
        title="Centre bias",
        sentence="1 less the mean of the worst corner's and the worst side's accuracy, divided by the centre's. "
        "0: the place of the object does not matter; more: the model expects it in the middle. In the cells objects "
        "have a ninth of their usual area.",
        ideal=0,
    ),
    "size_bias": Wording(
        title="Size bias",
        sentence="Accuracy with objects of another size, divided by accuracy at their usual size; the factor is on "
        "the object's area. 1: the size does not matter.",
        ideal=1,
    ),
    "foreground_focus": Wording(
        title="Foreground focus",
        sentence="Share of the model's attention that lies on the object, divided by the object's share of the area. "
        "1: attention that does not care about the object; more: the model looks at the object.",
        ideal=inf,
    ),
    "relative_foreground_sensitivity": Wording(
        title="Relative foreground sensitivity",
        sentence="Accuracy under noise on the background less accuracy under noise on the object, relative to the "
        "most that is possible. 1: only the object matters; −1: only the background.",
        ideal=inf,
    ),
    "bg_gap": Wording(
        title="BG-GAP",
        heading="ImageNet-9",
        sentence="Accuracy on backgrounds of the own class (mixed_same) less accuracy on those of random classes "
        "(mixed_rand), in percentage points. 0: the background does not matter.",
        unit=POINTS,
        ideal=0,
    ),
    "category": Wording(
        title="Role of the background",
        heading="ImageNet-9",
        sentence="Share of the images for which the background is needed, misleads, or makes no difference, by what "
        "the model makes of the image, of its object and of its background.",
        unit=PERCENT,
    ),
    "attack_success": Wording(
        title="Attack success rate",
        heading="ImageNet-9",
        sentence="Share of the objects on a background of another class that the model takes for that class.",
        unit=PERCENT,
        ideal=0,
    ),
    "leakage": Wording(
        title="Leakage",
        heading="Independence",
        sentence="How much of the object's colours its infilled background has, beyond what the surroundings tell, "
        "in standard deviations of shuffled pairs. It is of the data, whatever the model. 0: nothing.",
        ideal=0,
    ),
    "challenge": Wording(
        title="Challenge accuracy",
        heading="The background challenge",
        sentence="Share of the objects that the model recognises on every background of the set, the most harmful "
        "included.",
        unit=PERCENT,
        ideal=inf,
    ),
}

CONDITIONS = {
    "original": "the image as it is",
    "orig": "the object pasted back onto its own infilled background",
    "same": "the object on the background of another image of its class",
    "all": "the object on the background of any image",
    "only_bg_b": "the object's box is black",
    "only_bg_t": "the object's box is covered with tiles of the background",
    "only_bg_i": "the object is infilled",
    "only_fg": "the object on black",
    "no_fg": "the object is cut out in black",
    "mixed_same": "the object on a tiled background of its class",
    "mixed_rand": "the object on a tiled background of a random class",
    "mixed_next": "the object on a tiled background of the next class",
    "mixed_same_i": "the object on an infilled background of its class",
    "mixed_rand_i": "the object on an infilled background of a random class",
    "mixed_next_i": "the object on an infilled background of the next class",
}

METHODS = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAM++",
    "integrated_gradients": "Integrated gradients",
}

_OF_CLASS = re.compile(r"(?:(?P<condition>.*?) )??(?P<kind>class|background) (?P<name>.+)", re.DOTALL)
_BY_BACKGROUND = ("attack_success", "challenge")  # measures with parts by the class of the background


def wording(measure: str) -> Wording:
    """Return a measure in words; one that is not known is called by its name."""
    return MEASURES.get(measure) or Wording(title=measure.replace("_", " ").capitalize())


def part_words(part: str) -> str:
    """Return a part of a measure in words."""
    method, _, manner = part.partition(" ")
    return f"{METHODS[method]}{manner and ', '}{manner}" if method in METHODS else part


def of_class(measure: str, part: str) -> tuple[str, str, str] | None:
    """Return condition, "class" or "background", and the class's name, if a part is about one class."""
    found = _OF_CLASS.fullmatch(part)
    if found is None or (found["kind"] == "background" and measure not in _BY_BACKGROUND):
        return None
    return found["condition"] or "", found["kind"], found["name"]
