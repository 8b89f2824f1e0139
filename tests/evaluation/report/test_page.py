"""The page: all numbers are on it, nothing is hidden, and nobody's text becomes code."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from fornet_hf.evaluation.report import Comparison, Measured, page, write
from fornet_hf.evaluation.report.comparison import Compared
from fornet_hf.evaluation.report.numbers import PERCENT, POINTS, RATIO
from fornet_hf.evaluation.report.plots.bars import Bar, Gap, bars
from fornet_hf.evaluation.statistics.values import Value
from tests.evaluation.report import made

SHARES = ("accuracy", "category", "challenge", "attack_success")
HOSTILE = """<script>alert(1)</script>"'&]]>--><img src=x onerror=alert(2)>\x00\ud800\u202e"""


class Text(HTMLParser):
    """The text and the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[str] = []
        self.feed(page.replace("<wbr/>", ""))

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.words += [value for name, value in attrs if name in ("title", "alt") and value]

    def handle_data(self, data):
        self.words.append(data)


def words(text: str) -> str:
    return " ".join(" ".join(Text(text).words).split())


def one(*values: Value, **more: object) -> Comparison:
    return Comparison(data="own", models=[Measured(model="a", digest="ab" * 32, values=values)], **more)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_number_is_there_with_its_interval(count):
    comparison = made.comparison(count)
    shown = words(page([comparison]))
    for model in comparison.models:
        assert model.model in shown
        assert model.digest in shown
        for value in model.values:
            unit = PERCENT if value.measure in SHARES else POINTS if value.part == "difference" else RATIO
            if value.measure != "bg_gap":
                assert " ".join(unit.full(value.value).split()) in shown
                assert unit.interval(value) in shown


def test_differences_of_models_are_told_with_their_signs():
    comparison = made.comparison(3)
    values = {
        1: Value(measure="accuracy", part="original", value=0.031, low=0.01, high=0.05, n=100),
        2: Value(measure="centre_bias", value=-0.25, low=-0.5, high=0.02, n=90, left_out={"alone": 3}),
    }
    between = [Compared(model, 0, value) for model, value in values.items()]
    text = page([replace(comparison, differences=between)])
    shown = words(text)
    assert "Difference from timm:vit_small_patch16_224.augreg_in21k_ft_in1k" in shown
    assert "+3.1 points 1.0 to 5.0" in shown
    assert "\u22120.25 \u22120.50 to 0.02" in shown
    assert "90 images; 3 left out (3 alone)" in shown
    assert ("<b>+3.1 points</b>" in text, "<b>\u22120.25</b>" in text) == (True, False)
    assert "Differences" not in words(page([comparison]))


def test_it_says_on_what_and_by_what_it_was_measured():
    shown = words(page([made.comparison(1)]))
    for fact in ("fornet", "validation", "5e" * 32, "float32", "0.1.0", "fornet evaluate timm:vit_small"):
        assert fact in shown


def test_what_is_left_out_is_counted_by_reason():
    value = Value(measure="centre_bias", value=0.1, n=480, left_out={"no foreground": 6, "too large": 1400})
    assert "480 images; 1,406 left out (6 no foreground, 1,400 too large)" in words(page([one(value)]))


def test_what_is_not_defined_is_said_with_its_reason():
    value = Value(measure="background_robustness", value=None, n=12, note="no image is right on its own background")
    shown = words(page([one(value)]))
    assert "Not defined: no image is right on its own background" in shown
    assert "None" not in shown
    assert "nan" not in shown


def test_a_measure_of_nobody_knows_what_is_shown_too():
    shown = words(page([one(Value(measure="texture_bias", part="stylised", value=0.123, n=5))]))
    assert "Texture bias" in shown
    assert "0.12" in shown


def test_models_may_lack_measures_of_others():
    comparison = made.comparison(2)
    models = [comparison.models[0], replace(comparison.models[1], values=comparison.models[1].values[:1])]
    assert "not measured" in words(page([replace(comparison, models=models)]))


@pytest.mark.parametrize("number", [None, 0.0, 0.5, 1.0, -1.0])
def test_numbers_may_all_be_alike_or_missing(number):
    models = [
        replace(model, values=[replace(value, value=number, low=number, high=number) for value in model.values])
        for model in made.comparison(2).models
    ]
    text = page([replace(made.comparison(2), models=models)])
    assert ("not defined" in words(text)) == (number is None)
    assert "nan" not in text


def test_a_page_without_values_is_a_page():
    assert "Biases of 1 classifier on own" in words(page([one()]))


def test_hostile_names_stay_text():
    measure = Value(measure=HOSTILE, part=HOSTILE, value=0.5, n=3, left_out={HOSTILE: 1}, note=HOSTILE)
    of_class = Value(measure="accuracy", part=f"class {HOSTILE}", value=0.5, n=3)
    example = replace(made.examples(1)[0], label=HOSTILE, predicted=HOSTILE, key=HOSTILE)
    values = [measure, of_class, *made.measured("x").values]
    model = Measured(model=HOSTILE, digest=HOSTILE, values=values, examples=[example])
    hostile = Comparison(
        data=HOSTILE, split=HOSTILE, release=HOSTILE, command=HOSTILE, models=[model], settings={HOSTILE: HOSTILE}
    )
    text = page([hostile])
    assert Text(text).elements.count("script") == 1
    assert "<img src=x" not in text
    tree(text)
    text.encode()


def tree(text: str) -> ET.Element:
    """Return the page as XML, without its script, which only HTML does not read as markup."""
    (script,) = re.findall(r"<script>.*?</script>", text, re.DOTALL)
    return ET.fromstring(text.removeprefix("<!DOCTYPE html>\n").replace(script, ""))  # noqa: S314 - it is ours


def test_the_page_and_its_drawings_are_well_formed():
    text = page([made.illustrated(made.comparison(3))])
    root = tree(text)
    drawings = list(root.iter("svg"))
    assert len(drawings) > 20
    for drawing in drawings:
        assert drawing.get("aria-hidden") or drawing.find("title").text


def test_images_have_words_and_tables_headings():
    text = page([made.illustrated(made.comparison(2))])
    root = tree(text)
    assert [image for image in root.iter("img") if not image.get("alt")] == []
    assert [table for table in root.iter("table") if not table.findall(".//th[@scope='col']")] == []
    assert len(list(root.iter("h1"))) == 1


def test_it_asks_nothing_of_a_network():
    text = page([made.illustrated(made.comparison(2))])
    sources = re.findall(r'(?:src|href|url\()="?([^" )]*)', text)
    assert {source.partition(":")[0] for source in sources} == {"data", "https"}  # the latter are links
    assert 'src="https' not in text
    assert "default-src 'none'" in text.replace("&#x27;", "'")


def test_the_bytes_are_the_same_every_time(tmp_path):
    comparison = made.comparison(2)
    paths = [write([made.illustrated(comparison)], tmp_path / name) for name in ("one", "other")]
    assert paths[0].name == "report.html"
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_examples_are_few_and_small():
    comparison = made.comparison(2)
    text = page([made.illustrated(comparison, count=50)])
    assert Text(text).elements.count("img") == 2 * 8 * (
        2 + 3
    )  # models, examples; right and wrong, plain and twice explained
    assert len(text) < 2_000_000


def test_the_words_of_a_gap_stand_on_the_bars_where_there_is_room_and_names_are_never_cut_off():
    def drawn(same, rand):
        shown = [Bar("mixed_same", value(same)), Bar("mixed_rand", value(rand)), Bar("mixed_same_i", value(same))]
        text = bars("t", shown, PERCENT, gap=Gap("mixed_same", "mixed_rand", "gap 60.0"))
        return ET.fromstring(text)  # noqa: S314  # our own

    def value(number):
        return Value(measure="accuracy", value=number, n=9)

    for same, rand, anchor in [(0.9, 0.1, "middle"), (0.9, 0.85, "end")]:
        texts = drawn(same, rand).findall(".//text")
        words = next(text for text in texts if text.get("class") == "gapwords")
        assert words.get("text-anchor") == anchor
        name = next(text for text in texts if text.text == "mixed_same_i")
        assert float(name.get("x")) > 7 * len("mixed_same_i")
