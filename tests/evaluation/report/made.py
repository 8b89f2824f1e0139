"""Comparisons of models that were never trained: their answers are drawn, with a bias of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from fornet_hf.evaluation.report.comparison import Comparison, Measured
from fornet_hf.evaluation.report.examples import Example, Fooled, SaliencyExample, overlay
from fornet_hf.evaluation.statistics.values import Value
from fornet_hf.recombination.draw.rng import generator

CLASSES = ("dog", "bird", "vehicle", "reptile", "carnivore", "insect", "instrument", "primate", "fish")
VARIANTS = {
    "original": 0.95, "only_fg": 0.85, "mixed_same": 0.86, "mixed_rand": 0.78, "mixed_next": 0.76,
    "no_fg": 0.45, "only_bg_b": 0.15, "only_bg_t": 0.18,
}  # fmt: skip
LEFT_OUT = {"object cannot be shown at its full size": 14, "no foreground": 6}


def interval(
    name: Sequence[object], share: float, *, measure: str, part: str = "", n: int = 480, **more: object
) -> Value:
    """Return the mean of drawn answers, with the interval of a binomial."""
    mean = float(generator(*map(str, name), measure, part).binomial(n, min(max(share, 0.0), 1.0))) / n
    error = (mean * (1 - mean) / n) ** 0.5
    low, high = max(0.0, mean - 1.96 * error), min(1.0, mean + 1.96 * error)
    return Value(measure=measure, part=part, value=mean, low=low, high=high, error=error, n=n, **more)


def ratio(measure: str, value: float, half: float, *, part: str = "", n: int = 480, **more: object) -> Value:
    """Return a value with an interval as wide on both sides."""
    return Value(
        measure=measure, part=part, value=value, low=value - half, high=value + half, error=half / 1.96, n=n, **more
    )


def measured(name: str, skill: float = 0.8, bias: float = 0.3) -> Measured:
    """Return a model of some skill (0 to 1) and bias (0 to 1) with all measures."""
    seed = [name]
    values = [
        interval(seed, skill, measure="accuracy", part="original", n=500),
        interval(seed, skill * 0.98, measure="accuracy", part="orig", n=494, left_out={"no foreground": 6}),
        interval(seed, skill * 0.95, measure="accuracy", part="same", n=494, left_out={"no foreground": 6}),
        interval(seed, skill * (1 - bias / 2), measure="accuracy", part="all", n=494, left_out={"no foreground": 6}),
        ratio("background_robustness", bias / 2, 0.03, part="difference", n=494, left_out={"no foreground": 6}),
        ratio("background_robustness", 1 - bias / 2, 0.03, n=494, left_out={"no foreground": 6}),
        ratio("centre_bias", bias, 0.04, left_out=LEFT_OUT),
    ]
    for cell in range(9):
        far = abs(cell // 3 - 1) + abs(cell % 3 - 1)
        share = skill * (1 - bias * far / 2)
        values.append(interval(seed, share, measure="accuracy", part=f"cell {cell}", left_out=LEFT_OUT))
    for size in (0.25, 0.5, 1.0, 1.5, 2.0):
        share = skill * (1 - bias * abs(np.log2(size)) / 3)
        values.append(interval(seed, share, measure="accuracy", part=f"size {size:g}", left_out=LEFT_OUT))
        if size != 1:
            values.append(ratio("size_bias", share / skill, 0.03, part=f"size {size:g}", left_out=LEFT_OUT))
    for method, focus in {"gradcam": 2.1, "gradcam++": 1.9, "integrated_gradients": 1.4}.items():
        values.append(ratio("foreground_focus", focus - bias, 0.08, part=method, n=494))
    values.append(ratio("relative_foreground_sensitivity", 0.5 - bias / 2, 0.05))
    for amount in (30, 90, 150, 210):
        values.append(
            ratio("relative_foreground_sensitivity", 0.5 - bias * amount / 400, 0.05, part=f"noise {amount}")
        )
        for where, harm in {"foreground": 300, "background": 300 / (0.3 + bias)}.items():
            share = skill * (1 - amount / harm / 2)
            values.append(interval(seed, share, measure="accuracy", part=f"noise {where} {amount}"))
    for variant, share in VARIANTS.items():
        if variant != "original":
            values.append(interval(seed, share * skill / 0.8, measure="accuracy", part=variant, n=450))
        for label in CLASSES:
            part = f"{variant} class {label}"
            values.append(interval(seed, share * skill / 0.8, measure="accuracy", part=part, n=50))
    same, rand = (next(v.value for v in values if v.part == name) for name in ("mixed_same", "mixed_rand"))
    values.append(ratio("bg_gap", same - rand, 0.02, n=450))
    shares = {
        "BG Irrelevant": 0.62,
        "BG Required": 0.2,
        "BG+FG Required": 0.09,
        "BG Fools": 0.05,
        "BG+FG Fools": 0.04,
    }
    values += [ratio("category", share, 0.02, part=part, n=450) for part, share in shares.items()]
    values.append(interval(seed, bias * 0.4, measure="attack_success", part="mixed_rand", n=400))
    values.append(interval(seed, 0.25 * (1 - bias), measure="challenge", n=450))
    digest = generator(name).bytes(32).hex()
    return Measured(model=name, digest=digest, values=values, precision="float32", version="0.1.0")


NAMES = {
    "timm:vit_small_patch16_224.augreg_in21k_ft_in1k": (0.79, 0.30),
    "timm:resnet50.a1_in1k": (0.80, 0.45),
    "torchvision:convnext_tiny": (0.82, 0.25),
    "hf:facebook/deit-small-patch16-224": (0.78, 0.35),
    "my.models:trained_with_fornet=runs/2024/checkpoints/last.safetensors": (0.83, 0.08),
}


def comparison(count: int = 2, **more: object) -> Comparison:
    """Return that many models side by side."""
    models = [measured(name, *NAMES[name]) for name in list(NAMES)[:count]]
    command = (
        f"fornet evaluate {' '.join(NAMES)} --data fornet --measures accuracy,background,centre --output results"
    )
    given = {"data": "fornet", "split": "validation", "release": "5e" * 32, "seed": 0, "command": command}
    return Comparison(models=models, **(given | more))


def images(number: int) -> tuple[Image.Image, Image.Image]:
    """Return two images of 224 x 224 of smooth colours."""
    random = generator("images", str(number))
    pair = (random.integers(0, 256, (4, 4, 3), dtype=np.uint8) for _ in range(2))
    first, second = (Image.fromarray(small).resize((224, 224), Image.Resampling.BICUBIC) for small in pair)
    return first, second


def illustrated(of: Comparison, count: int = 6) -> Comparison:
    """Return the same with examples of both kinds of each model."""
    return replace(of, models=[replace(model, examples=examples(count)) for model in of.models])


def examples(count: int) -> list[Example]:
    """Return examples of both kinds."""
    made: list[Example] = []
    for number in range(count):
        one, other = images(number)
        label, said = CLASSES[number % 9], CLASSES[(number + 3) % 9]
        made.append(
            Fooled(
                image=one, key=f"n0144076{number}_10026", label=label, predicted=said,
                background_key=f"n0250165{number}_711", background_label=said, right=other, probability=0.02,
            )
        )  # fmt: skip
        spot = np.exp(-(((np.mgrid[:14, :14] - 6) ** 2).sum(axis=0)) / 12)
        made += [
            SaliencyExample(
                method=method, image=one, overlay=overlay(one, spot), key=f"key {number}",
                label=label,
            )
            for method in ("gradcam", "integrated_gradients")
        ]  # fmt: skip
    return made
